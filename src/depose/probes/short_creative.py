"""Short creative pieces: names, images, openings and endings, which nothing but habit decides.

Open-ended prompts carry the evidence: where anything would do, what a model writes is its own or its
teacher's. Themes are plain, so that the names and the turns of the story come from the model.
"""

from __future__ import annotations

from depose.probes.family import Family, Stated

TEMPLATES = """
Find a fresh metaphor for {time | grief | memory | envy | hope | patience | childhood | a big city} and say
why it fits.

Write the first lines of a novel about {a lighthouse keeper | a retired thief | two sisters | a clockmaker |
a night nurse | a lost orchestra | a village without children}.

Invent a character who {repairs umbrellas | draws maps | is afraid of birds | never tells a lie |
collects keys | works in a station café | writes letters for other people}, and introduce this person to the
reader.

Write a story of six sentences about {a borrowed coat | a missed train | a broken cup |
an unexpected guest | a dog that comes home | a letter sent to the wrong house | the last day of summer}.

Write a toast for {a colleague who is retiring | a couple married for half a century |
a friend who has opened a bakery | a newborn child | a team that lost the match |
a neighbour who is moving away | a sister who has finished her studies}.

Write a short poem about {rain on a tin roof | an empty swimming pool | the smell of bread |
an old bicycle | a fox in the city | the first snow | a kitchen at night}.

Write a short conversation between {the sun and the moon | a key and a lock | a cat and a mirror |
an old oak and a sapling | a pen and a rubber | a river and a bridge | two forgotten suitcases}.

Describe {a market | a storm | an attic | a railway station | a harbour | a garden} as seen by
{a small child | a ghost | a homesick traveller | a stray cat}.

Make up a fable about {a fox and a heron | a proud mule | two ants | an owl afraid of the dark |
a snail and a swallow | a crow and a bell | a greedy goose} that ends in a surprise.

Invent a town where {nobody sleeps | it rains only at night | everyone is named after a tree |
clocks run backwards | silence is the law | dreams are sold at the market | shadows have colours}, and
describe a morning there.

Write a letter from {a sailor | a scarecrow | an old house | a retired magician | a snowman |
the last bookseller in town} to {a stranger | a lost friend | the spring | a younger self}.

Write what might stand on the back cover of a novel called {The Salt Orchard | A Quiet Door |
The Glass Ferry | Winter for Beginners | The Borrowed Bell | What the Heron Knew}.

Tell a bedtime story about {a cloud that would not rain | a bear who baked | a tiny dragon | a lost button |
a moon with a cold | a whale who wanted to fly | a sleepy train}.

Write a short speech that {the mayor of a town of cats | the oldest tree in a park |
a pirate about to retire | the king of an empty island | the captain of a losing side | a very proud cook}
might give.

Invent a holiday in honour of {lost socks | the wind | good neighbours | worn-out shoes | silence | soup |
mistakes}, and tell how people celebrate it.

Write a diary entry by {a goldfish | an astronaut far from home | the last dinosaur | a museum guard |
a statue in a square | a cook on a ship | a street lamp}.

Imagine a recipe for {happiness | a good friendship | courage | a bad day | a perfect holiday |
a quiet mind | a quarrel}, and write it with a little humour.

Describe {the colour blue | the sound of a cello | the taste of honey | thunder | the smell of the sea |
falling snow} to someone who has never known it.

Write a monologue for {a villain who is tired of being bad | a clown after the show |
a queen who has lost her crown | a detective without a case | a prince afraid of horses |
a ghost whom nobody fears}.

Make up a legend that explains why {the waves never rest | owls wake at night | the moon changes its shape |
mountains are silent | roses have thorns | cats ignore people | autumn is red}.

Write an advertisement for {a second-hand dream | a broken umbrella | a bottle of fog |
a worn time machine | the quietest room in the world | an honest mirror | a slightly magic carpet}.

Write the last paragraph of a story in which {two brothers speak to each other again |
a thief returns everything | a village finds its river again | a stopped clock begins to tick |
a stranger turns out to be the king | a ship comes home}.

Invent a strange machine that {sorts memories | makes weather | translates birdsong | finds lost things |
measures kindness | bottles smells | catches echoes}, and describe its inventor.

Write a scene in which {a waiter | a taxi driver | a librarian | a piano tuner | a grandmother | a baker}
finds {a key | a photograph | a map | a feather | an unsigned note}.

Compose a lullaby for {a small robot | a restless sea | a baby elephant | a tired city | a lonely star |
a garden in winter | a child on a ship}.

Describe a painting that does not exist, called {Evening with Three Chairs | The Patient Sea |
Woman Counting Swallows | After the Fair | The Yellow Staircase | A Table for No One}.

Write a review of {a restaurant for ghosts | a spa on the moon | a hotel under the sea |
a concert given by frogs | a library of unwritten books | a theatre for insects |
a café at the end of the world}.

Invent a proverb about {rivers | bread | neighbours | old age | doors | the wind | money | dogs}, and tell
the story behind it.

Write a weather report from {a fairy-tale kingdom | the inside of a teapot | the bottom of the ocean |
a land of giants | somebody's dream | a planet with two suns | a dragon's cave}.

If {an old chair | a teapot | a pair of boots | a violin | a front door | a postage stamp | a worn coin}
could talk, what would it say about its life?
"""

short_creative = Family(
    name="short_creative",
    templates=TEMPLATES,
    stated=Stated(
        construct="names, images and turns that nothing but habit decides",
        statistic="detectors `phrases`, `wording`",
        samples=1,
        prompts=8,
        tokens=200,
        validated="the laboratory, with the other open families: Cllr .11 held out, 50 prompts (docs/laboratory.md)",
        fails="favourite names and images are shared by models of one year",
    ),
)
