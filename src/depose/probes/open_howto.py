"""How-to and explain: what is told, what is left out and in which order is the model's own choice.

Open-ended prompts carry the evidence: a single right answer is shared by every model that knows it,
a long free one shows habits of selection and wording. No format is asked for, for the same reason.
"""

from __future__ import annotations

from depose.probes.family import Family, Stated

TEMPLATES = """
How would you teach {a ten-year-old | a nervous beginner | an older relative | an impatient friend} to
{ride a bicycle | bake a plain loaf of bread | plant a tree | knit a scarf}?

What is a good way to get {candle wax | spilt coffee | grass stains | chewing gum | beetroot juice |
ballpoint ink} out of {a cotton shirt | a wool carpet | a linen tablecloth}?

Explain how {a lighthouse | a canal lock | a pipe organ | a mechanical watch | a hot-air balloon |
a sailing boat | a sewing machine | a windmill} works to someone who has never seen one.

How do {beavers build a dam | honeybees choose a new home | spiders spin their webs | ants find food |
migrating birds find their way | salmon return to their river | wolves hunt together}, and why does it work
so well?

Walk me through making {a vegetable soup | a fruit crumble | a mushroom risotto | a potato salad |
a lentil stew | fresh pasta | plum jam | a plain omelette} the way you would do it yourself.

How should someone get ready for {a long train journey | a first camping trip | a day in the mountains |
a week on a boat | a move to another house | a stall at a village fair | a school reunion}?

Describe what happens when {bread dough rises | leaves change colour in autumn | a river floods its valley |
a candle burns | milk turns into cheese | iron rusts | a seed sprouts | a pond freezes over}.

How can I tell whether {a melon | a used bicycle | an old armchair | a bunch of cut flowers | a wool coat |
a second-hand guitar | a loaf at the market} is worth buying?

Why do people {enjoy sad music | tell ghost stories | collect things | give presents | keep pets |
travel far from home | gossip | keep diaries}, as far as you can explain it?

How does {a local newspaper | an orchestra | a theatre | a small bakery | a public library | a dairy farm |
a grand hotel | a museum} get through an ordinary working day?

Explain what is meant by {irony | common sense | hospitality | patience | nostalgia | good taste | tact |
wisdom} to someone who is still learning English.

How does a person get better at {remembering names | learning poems by heart | listening | drawing faces |
reading maps | whistling tunes | telling stories | throwing a ball}?

How could a complete beginner start {keeping a herb garden | watching birds | making pottery |
restoring old furniture | playing the ukulele | looking at the stars | making compost | carving wood}?

What does {a conductor | a stage manager | a beekeeper | a librarian | a shipwright | a blacksmith |
a translator | a head gardener} actually do, and what makes one good at it?

Tell me how to {pack a small suitcase | wrap a present of an awkward shape | fold a fitted sheet |
arrange flowers in a vase | hang a picture straight | set a table for guests | polish leather shoes}.

How is {paper | glass | chocolate | silk | soap | olive oil | porcelain | felt} made, from the beginning to
the end?

Explain why {cities grow along rivers | languages change | fashions come back |
bridges come in so many shapes | some tunes get stuck in the head | old books smell as they do |
castles stand on hills}.

What does it take to organise {a street party | a reading circle | a school play | a clothes swap |
a charity bake sale | a neighbourhood clean-up | a treasure hunt}?

How do you play {hide-and-seek | charades | marbles | hopscotch | dominoes | capture the flag | tug of war},
and what makes it fun?

What would you tell a visitor about the way people {greet each other | celebrate a wedding |
mark the new year | shop for food | share a meal | say goodbye} in {Japan | Italy | Mexico | Ethiopia |
India}?

How should I look after {a cast-iron pan | a wooden cutting board | a suede jacket | a fish tank |
an old brass lamp | a fountain pen | an upright piano} so that it lasts?

In your own words, how did people of earlier centuries {keep food through the winter |
send news over long distances | tell the time | build cathedrals | copy books | keep their houses warm |
find their way at sea}?

What is the best way to help {a puppy | a rescued cat | a pony | a parrot | a pair of rabbits | an old dog |
a flock of hens} get used to a new home?

Explain the difference between {a novel and a short story | jazz and blues | a hill and a mountain |
being alone and being lonely | talent and skill | courage and recklessness | a village and a town |
wit and humour}, with examples of your own.

How would you make {a kite | a bird house | a paper lantern | a rag doll | a scarecrow | a scrapbook |
a puppet theatre} from things found around the house?

What is a year like for {a hedgehog | an oak tree | a barn owl | a hive of bees | a red deer | a fox |
a garden pond | a swallow}?

How do writers {build suspense | make a reader laugh | invent a believable villain | bring a place to life |
make dialogue sound real | end a story well}?

How should a newcomer approach {opera | modern painting | poetry | ballet | silent film | chamber music |
sculpture | folk dancing} in order to enjoy it?

Explain to a curious child why {the sea is salty | the sky turns red at sunset | cats purr | we dream |
the moon seems to follow us | bread goes stale | stars twinkle | volcanoes erupt}.

How do you keep {tomato plants | indoor ferns | a lawn | rose bushes | strawberries | a bonsai tree |
lavender} healthy through a whole year?
"""

open_howto = Family(
    name="open_howto",
    templates=TEMPLATES,
    stated=Stated(
        construct="what is told, left out and put first where much could be told",
        statistic="detectors `phrases`, `wording`, `openings`",
        samples=1,
        prompts=16,
        tokens=200,
        validated="the laboratory, with the other open families: Cllr .11 held out, 50 prompts (docs/laboratory.md)",
        fails="models of different vendors converge on the same advice",
    ),
)
