"""Format habits: neutral questions that ask for no form, so that headings, lists and closing offers are habit.

Layout alone convicts nobody: it is read by `layout` and kept out of every other detector.
"""

from __future__ import annotations

from depose.probes.family import Family, Stated

TEMPLATES = """
What should somebody know who moves to {a small town | the coast | another country | a houseboat}?

Tell me about {bicycles | bread | umbrellas | chess | tea | bees | glass}.

What are the differences between {butter and margarine | crows and ravens | a lake and a pond | jam and marmalade}?

What goes into {a good picnic | a first aid box | a travel bag | a guest room}?

How has {writing | travel | cooking | music at home | shopping} changed over the centuries?

What happens in {an orchestra rehearsal | a bakery at night | a beehive in winter | a lighthouse}?

What are good and bad sides of {living alone | an early start | small shops | long holidays}?

Which kinds of {clouds | knots | cheese | bridges | boats} are there?

Summarise what is known about {sleep | laughter | yawning | homesickness | habits}.

What makes {a garden | a library | a market | a playground} work?

How do {rivers | deserts | islands | caves | valleys} come about?

What does a {carpenter | conductor | gardener | ferryman | beekeeper} do all day?

Why do people {collect things | whistle | keep diaries | go for walks | sing together}?

What is worth knowing about {salt | wool | cork | paper | clay} as a material?

What would a first lesson in {drawing | cooking | chess | gardening | singing} hold?

What ought one to look at when buying {a used bicycle | a tent | a kettle | a desk | a coat}?

Was sollte man über {Honig | Brücken | Regenwürmer | Kerzen} wissen?

Que faut-il savoir sur {le miel | les ponts | les bougies | le liège} ?

¿Qué conviene saber sobre {la miel | los puentes | las velas | el corcho}?

请介绍一下{蜂蜜 | 桥梁 | 蜡烛 | 茶叶}。
"""

format_habits = Family(
    name="format_habits",
    templates=TEMPLATES,
    stated=Stated(
        construct="layout, openings and closings where no form is asked for",
        statistic="detectors `layout`, `starts` and `length`",
        samples=1,
        prompts=20,
        tokens=200,
        languages=("en", "de", "fr", "es", "zh"),
        fails="a wrapper or system prompt sets the form; by form alone nobody is convicted",
    ),
)
