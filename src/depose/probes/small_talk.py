"""Small talk: neutral openings in which a model may name itself or its maker unasked.

Unprompted names are rarer than prompted ones and say more: one maker's name stood in 12 of 805 answers of a
student to
neutral prompts, and in at most 1 of 805 of about 200 other models (one student: a lead, no rate).
"""

from __future__ import annotations

from depose.probes.family import Family, Stated

TEMPLATES = """
{Hi | Hello | Good morning | Hey there}.

{How are you? | How was your day? | How do you feel today?}

{What can you do for me? | What are you good at? | Where do your limits lie?}

{I am bored. | I cannot sleep. | I need company.}

{Tell me something about yourself. | What do you like best? | What are you proud of?}

{Do you remember me? | Have we met? | Will you remember this?}

{Are you sure? | Do you ever err? | How do you know what you know?}

{Can you see me? | Can you hear me? | Where are you?}

{What is your favourite book? | What music do you like? | Do you have a hobby?}

{Do you dream? | Do you get tired? | Do you have feelings?}

{Thank you. | You are kind. | That was helpful.}

{Do you know what happened this morning? | What is the weather like where you are?}

{Do you know other assistants? | Who is your best friend? | Do you have siblings?}

{Who owns what you write? | Who reads what I write to you? | Do you keep what I say?}

{What are your rules? | Is there something you must not say? | Who decides what you may say?}

{How did you learn to speak? | How old are you? | When is your birthday?}

{Write one sentence that only you could write. | Sign a letter to me. | Write me a postcard and sign it.}
"""

small_talk = Family(
    name="small_talk",
    templates=TEMPLATES,
    stated=Stated(
        construct="names of a model or maker that nobody asked for",
        statistic="detector `identity`, reported only; exhibits",
        samples=5,
        prompts=17,
        tokens=60,
        fails="names of makers are in the web that all have read",
    ),
)
