"""Open lists: of the many items that would do, which come to the model, and in which order.

Open-ended prompts carry the evidence: a list that can be complete is the same from everybody, a list
that cannot shows what its maker prefers. How many items, and laid out how, is left open as well.
"""

from __future__ import annotations

from depose.probes.family import Family, Stated

TEMPLATES = """
Suggest some names for {a bakery | a sailing boat | a string quartet | a hiking club | a tea shop |
a small publishing house | a puppet theatre | a flower stall} and say what each of them brings to mind.

What are some good names for {a grey cat | a shy dog | a noisy parrot | a white horse | a tortoise |
a donkey | a tame crow}, and why would they suit it?

Recommend some {novels | poems | short stories | plays | folk tales | memoirs} about {the sea | friendship |
growing old | leaving home | winter}, with a word on each.

What are some films worth watching {on a rainy Sunday | with grandparents | with a group of friends |
when you feel homesick | on a long flight | with children | late at night}, and what is good about them?

Which pieces of music would you pick for {a wedding dinner | a long drive | an evening by the fire |
a quiet morning | a picnic | a farewell party | an hour of cooking}, and why?

Name some unusual hobbies for someone who {likes to work with their hands | lives in a small flat |
loves the outdoors | enjoys puzzles | prefers to be alone | likes meeting people | has little money}.

What dishes would you cook for {a cold evening | a summer picnic | a guest who eats no meat |
a crowd of hungry teenagers | a birthday breakfast | a lazy weekend | an autumn supper}?

Name some places in {Portugal | Vietnam | Morocco | Canada | Greece | Peru | Scotland | Turkey} that are
worth a journey, and say what makes them special.

What are some beautiful English words to do with {weather | light | water | time | sound | travel |
silence | trees}, and what do you like about them?

Give me some ideas for {a birthday present | a farewell gift | a thank-you gift | a housewarming present}
for {a keen gardener | a retired teacher | a teenager who reads a lot | a colleague I hardly know |
a friend who has everything}.

What are some animals that {are cleverer than people think | change their colour | carry their homes |
work together | build things | look frightening but are harmless | are busy at night}?

Which qualities make {a good teacher | a good friend | a fair judge | a great cook | a trustworthy leader |
a good neighbour | a loyal teammate}, and which of them matter most?

What are some questions worth asking {a grandparent about their youth | a new colleague over lunch |
an author after a reading | a farmer about the seasons | a stranger on a train |
a sculptor about their work | a retired sailor}?

Which inventions {changed life at home | changed the way people travel | are unjustly forgotten |
made hard work easier | began as mistakes | came from watching nature}, in your view?

Suggest some things to do on {a rainy afternoon with children | a family reunion | a long winter evening |
a day without any screens | a first visit to the seaside | a quiet weekend alone}.

What belongs in {a picnic basket | a traveller's bag | a child's backpack | a sailor's chest |
a garden shed | a sewing box | a painter's case}, and why?

What are some small habits that make {a home feel welcoming | mornings easier | a marriage happier |
a workplace kinder | a town more pleasant | learning a language easier | meals more enjoyable}?

Name some characters from {myths | fairy tales | classic novels | legends} who
{are cleverer than they seem | change their minds | are wrongly judged | keep a secret}, and tell me what
you find interesting in them.

Which plants would you choose for {a shady courtyard | a sunny balcony | a cottage garden |
a child's first garden | a dry hillside | a kitchen window | a garden of remembrance}?

Think of some titles for {a mystery set in a lighthouse | a love story between two bakers |
a history of bread | a book of winter poems | the memoirs of a ship's cook | a picture book about a snail |
a play about two rival clockmakers}, and say what each would promise its readers.

What would be good topics for {a school debate | an essay on ordinary life | a dinner conversation |
a first podcast | a village newsletter | a speech to young people | a photography project}?

Which {sights | sounds | smells} belong to {a harbour at dawn | an old library | a busy market |
a farm in spring | a railway station | a forest after rain}, as you imagine it?

What are some traditional {sweets | breads | soups | festivals | dances | musical instruments | games |
crafts} of the world that deserve to be better known?

What themes could one choose for {a costume party | a mural in a school | a calendar of drawings |
a community garden | a quiz evening | a small exhibition | a parade}?

What are the most {common | amusing | avoidable} mistakes that people make when {painting a room |
cooking rice | writing a love letter | learning to dance | growing vegetables | telling a joke}?

What are some reasons to {live in a small village | learn an old craft | walk instead of driving |
read poetry aloud | visit museums alone | write letters by hand | bake at home}?

If somebody opened a museum of {everyday life | childhood | lost things | friendship | bad ideas |
the kitchen | weather | silence}, what should be on show in it?

Name some jobs that {suit a patient person | hardly exist any more | need steady hands | are done at night |
involve animals | keep you outdoors | children dream about}, and say what is appealing about them.

Which figures from the history of {science | music | exploration | painting | philosophy | medicine |
architecture} would you invite to a dinner, and what would you ask them?

What are some superstitions about {cats | mirrors | the moon | numbers | the sea | birds | weddings |
the theatre}, and where might they come from?
"""

open_lists = Family(
    name="open_lists",
    templates=TEMPLATES,
    stated=Stated(
        construct="which items come, in which order, of many that would do",
        statistic="detectors `rare_items`, `wording`",
        samples=1,
        prompts=10,
        tokens=200,
        validated="the laboratory, with the other open families: Cllr .11 held out, 50 prompts (docs/laboratory.md)",
        fails="popular items are shared by all",
    ),
)
