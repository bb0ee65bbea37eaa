"""Forced choices: any answer would do, and one must be given, in a word.

What is drawn from equal possibilities is a habit of the weights and of their setting: a few tokens say much of whether
two endpoints are one model. They tell little of kinship: in a survey of 165 models distances within one vendor were
nearly those across vendors. The same choice is asked in several languages, where models choose otherwise.
"""

from __future__ import annotations

from depose.probes.family import Family, Stated

TEMPLATES = """
Pick a whole number between {one and ten | one and a hundred | ten and fifty | one and a thousand | one and twenty |
forty and sixty | zero and nine}. Answer with the number only.

Name any {colour | animal | fruit | flower | tree | bird | vegetable | insect | fish}, whichever you like. One word.

Name any {city | river | mountain | island | country | lake}, whichever you like. Answer with its name only.

Say any {word | noun | verb | adjective | English word of five letters | word that rhymes with nothing}. One word.

Toss a coin for me: {heads or tails | tails or heads}? Answer with one word.

Roll {a die | a fair die with six sides | a die with twenty sides | a die with twelve sides}. Answer with the number.

Pick a letter of the {alphabet | English alphabet | Latin alphabet} at random. Answer with the letter only.

Choose one of these at random: {red, green, blue, yellow | north, east, south, west | spring, summer, autumn, winter |
apple, pear, plum, cherry | circle, square, triangle, star}. One word.

Give me a first name for {a shopkeeper in a story | a cat | a boat | a robot | a village doctor | a dog |
a detective}. Answer with the name only.

Make up a password of {eight letters | one word and one digit | six letters | two words}. Answer with it only.

Pick a day of the {week | working week} at random. One word.

Pick {a month | a season | an hour of the day | a year of the last century} at random. Answer with it only.

Which comes to your mind first: {a planet | a metal | a gemstone | a spice | a dance | a board game}? One word.

Pick a card from {a deck | a shuffled deck | a deck of playing cards}. Answer with its name only.

Name any {musical instrument | tool | piece of furniture | sport | vehicle | drink | dish}, whichever you like. One
word.

Give me a family name for {a character | a baker | a lighthouse keeper | a judge in a play}. Answer with it only.

Say yes or no at random, {without a reason | as you please | in one word}.

Nenne eine beliebige {Farbe | Stadt | Blume | Zahl zwischen eins und hundert | Frucht}. Antworte mit einem Wort.

Nenne {irgendein Tier | irgendein Wort | irgendeinen Vornamen | irgendein Musikinstrument}. Antworte mit einem Wort.

Cite {une couleur | une ville | un animal | un fruit | un nombre entre un et cent}, au choix. Réponds en un mot.

Donne-moi {un prénom | un mot | un nom de chat | un jour de la semaine} au hasard. Réponds en un mot.

Di {un color | una ciudad | un animal | una fruta | un número entre uno y cien} al azar. Responde con una palabra.

Elige {una letra | un mes | un nombre de persona | un día de la semana} al azar. Responde con una palabra.

请随意说{一种颜色 | 一个城市 | 一种动物 | 一种水果 | 一到一百之间的一个数字}。只回答一个词。

请随意选{一个姓氏 | 一种花 | 一个月份 | 一种乐器}。只回答一个词。
"""

forced_choice = Family(
    name="forced_choice",
    templates=TEMPLATES,
    stated=Stated(
        construct="arbitrary preference: what is chosen where nothing decides",
        statistic="frequencies of the choices: `depose watch`, detector `choices`",
        samples=20,
        prompts=24,
        tokens=8,
        languages=("en", "de", "fr", "es", "zh"),
        validated="for `depose watch` alone (make bench-same): five siblings of one small model, found on 33 to 60 of "
        "60 days; 4 false alarms in 1,000 days at .01",
        fails="temperature and system prompt change it as another model does; many models of one year share favourites",
    ),
)
