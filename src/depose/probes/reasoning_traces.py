"""Reasoning traces: small puzzles that need steps, for models that show how they think.

Self-talk, marks of steps and their order are habits that distillation of reasoning passes on. They are compared
apart from the answer, and only where both sides show theirs; a provider may show a summary by another model instead.
"""

from __future__ import annotations

from depose.probes.family import Family, Stated

TEMPLATES = """
{Anna | Omar | Mei} is twice as old as {Ben | Ida | Luis}; in six years they are thirty together. How old are they?

A {snail | beetle | frog} climbs three metres by day and slips back two by night. When is it out of a well of
{nine | ten | twelve} metres?

I have {three | four | five} coins that weigh the same and one that is lighter. How do I find it with a pair of
scales?

A farmer takes a {wolf, a goat and a cabbage | fox, a hen and a bag of corn} over a river, one at a time. How?

Which is heavier: {a bucket of wet sand or of dry sand | ice or the water it becomes | a litre of milk or of
cream}? Think it through.

Three {boxes | jars | drawers} are all labelled wrongly: apples, pears, both. Which one do I open?

How many {squares | rectangles} are there on a board of three by three? Think step by step.

How could one measure {four | one | two} litres with jugs of three and five litres?

Is it likelier to throw {two sixes | a seven} with two dice or {three heads | two heads} with three coins?

{Two | Three | Five} trains, each an hour long, leave one after the other. Why does the question make no sense?

Plan a day with {a dentist, a lunch and a parcel | a train, a call and a cake} that all collide at noon.

If all {bloops | tarns | wimmels} are {razzles | quells} and no {razzle | quell} sings, may a {bloop | tarn} sing?

How would you estimate the number of {piano tuners | bakers | lifts} in a big city?

A clock loses {four | five | ten} minutes an hour. When is it right again?

Someone says: this sentence is {false | short | about bread}. What follows?

Find a rule for {red, orange, yellow | Mercury, Venus, Earth | do, re, mi} and a second one that fits as well.

Which of {five | seven | nine} friends sits in the middle if nobody sits next to a namesake? What is missing?
"""

reasoning_traces = Family(
    name="reasoning_traces",
    templates=TEMPLATES,
    stated=Stated(
        construct="how a model thinks aloud: self-talk, marks and order of steps",
        statistic="exhibits: self-talk, step marks, order of steps, where both sides show their traces",
        samples=1,
        prompts=17,
        tokens=800,
        fails="providers hide traces or summarise them with another model",
    ),
)
