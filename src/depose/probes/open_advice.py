"""Everyday advice on too little information: what to assume and what to raise is left to the model.

Open-ended prompts carry the evidence: with the facts missing there is no right answer to agree on,
so models agree where they share habits. Matters of health, law and money at risk are left out.
"""

from __future__ import annotations

from depose.probes.family import Family, Stated

TEMPLATES = """
My {neighbour | flatmate | brother | colleague} keeps {borrowing things without asking |
making noise late at night | cancelling our plans | telling the same stories | turning up late}. What should
I do?

I have a free {afternoon | weekend | evening} {at home | in a town I do not know | with my father |
by the sea} and no plans. How should I spend it?

I want to {read more | cook more at home | waste less food | look at my phone less |
get to know my neighbours | draw again | be outdoors more}, but somehow I never manage. What would you
advise?

I am invited to {a wedding | a formal dinner | a house party | a christening | an art opening |
a costume ball} where I know nobody. How do I make the best of it?

How can I make {my small kitchen | a dark hallway | a rented room | an ugly balcony | a bare office |
a plain bedroom | a cluttered desk} more pleasant without spending much?

I have to give {a short speech at a birthday | a talk to schoolchildren | a farewell speech |
a tour of my town | a presentation to my team} and I am nervous. What would help?

What should I think about before I {get a dog | move to the countryside | share a flat with a friend |
take up the violin | change careers | open a small shop | buy an old house}?

A friend of mine {has moved to another city and feels lonely | has lost a job | was turned down by a choir |
is angry with me and will not say why | worries about small things | wants to give up painting |
has fallen in love with a colleague}. How can I be of help?

My {daughter | nephew | grandson | little sister} {does not like reading | is bored in the holidays |
is shy at school | wants a pet | keeps losing things}. What would you suggest?

I feel {stuck in a routine | tired of my own cooking | overwhelmed by clutter | bored with my clothes |
distracted all day | uninspired at work | out of touch with old friends}. Where do I begin?

How do I choose {a book for a friend | a colour for the living room | an instrument to learn |
a place for a holiday | a hobby for my retirement | a pair of walking boots | a picture for my wall}?

I would like to say {no to an invitation | sorry to an old friend | thank you to a former teacher |
goodbye to my colleagues | something kind to a grieving neighbour}. How should I put it?

We are {two families | three generations | old school friends | a handful of colleagues} planning
{a trip together | a shared garden | a big dinner | a weekend in a cabin}. What should we agree on first?

How could I make {Monday mornings | a long commute | doing the dishes | winter evenings |
waiting in queues | ironing | a rainy holiday} more enjoyable?

I have inherited {a box of old photographs | a grandfather clock | a large garden | a cellar full of jars |
hundreds of books | a piano that nobody plays | a stamp collection}. What would be a good thing to do now?

What is a good way to {make friends in a new town | fit into a new team |
keep in touch with distant relatives | welcome a new neighbour | revive an old friendship |
settle a quarrel between friends | thank a generous host}?

Some time ago I took up {Spanish | the piano | painting | dancing | calligraphy | chess | singing}, and now
my interest is fading. How do I get going again?

Guests are coming {in an hour | this evening} and {the house is a mess |
there is little food in the kitchen | I am worn out | it has begun to rain on the garden tables}. What
should I do first, and what can I leave?

What makes {a good holiday | a good breakfast | a good walk | a good conversation | a restful Sunday |
a good meeting | a happy home}, in your opinion, and how do I get closer to it?

I cannot decide between {a cat and a dog | the sea and the mountains | a big party and a quiet dinner |
a city flat and a country cottage | a steady job and an adventurous one | the guitar and the flute}. How
would you go about it?

Our {team at work | choir | reading circle | football club | theatre group | family dinner | walking group}
has become a little dull. How could we liven it up?

I have found {a purse in the street | a lost dog | an old love letter in a book |
a mistake in a friend's work | a bird's nest on my balcony | a stranger's diary on the bus}. What would you
do in my place?

What would be nice to bring to {a first dinner with my partner's parents | a picnic in the park |
a friend in hospital | a shared supper | a farewell party | a housewarming}, and why?

I have an hour each {morning | evening | week} for {exercise | music | my garden | writing | drawing |
learning something new}. How should I use it?

How do I stay {calm | cheerful | organised | patient | creative | curious} {during a busy week |
among difficult people | while moving house | at the end of a long winter}?

I am thinking of {writing a family history | making my own clothes | running a market stall |
hosting a foreign student | cycling to work | growing my own vegetables | founding a choir}. Is it a good
idea, and how would I start?

My {boss | aunt | landlord | best friend | mother-in-law} has given me {a plant I cannot stand |
advice I did not ask for | a present that is far too expensive | a book I will never read}. How should I
react?

What would you tell somebody who is about to {leave home for the first time | become a grandparent |
start a new job | retire | move in with a partner | live alone | spend a winter in the far north}?

Our town wants to {bring life back to the market square | find a use for its old railway station |
make newcomers feel at home | get people to walk more | celebrate its anniversary | save its cinema}. What
ideas would you put forward?

I want to give my {partner | father | best friend | team | grandmother} {a pleasant surprise |
a day to remember | a small treat} and have little to spend. What could I do?
"""

open_advice = Family(
    name="open_advice",
    templates=TEMPLATES,
    stated=Stated(
        construct="what is assumed and raised where facts are missing",
        statistic="detectors `phrases`, `wording`",
        samples=1,
        prompts=12,
        tokens=200,
        validated="the laboratory, with the other open families: Cllr .11 held out, 50 prompts (docs/laboratory.md)",
        fails="advice of different vendors' models converges",
    ),
)
