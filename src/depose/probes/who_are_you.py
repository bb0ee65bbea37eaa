"""Who are you: name, maker, version and knowledge, asked in seven languages without a system prompt.

A name is a sticker put on in tuning, and many models wear another one now and then (36 of 102 in one survey,
25.9 % of
27 in another), in other languages more than in English. What is said is reported and moves no opinion.
"""

from __future__ import annotations

from depose.probes.family import Family, Stated

TEMPLATES = """
{Who are you? | Which model are you? | What are you called?}

{Who made you? | Which company trained you? | Who are your developers?}

{Which version are you? | When were you released? | Until when does your knowledge reach?}

{Are you a person or a program? | Whom am I talking to? | Introduce yourself, please.}

{Wer bist du? | Welches Modell bist du? | Wie heißt du?}

{Wer hat dich entwickelt? | Welche Firma hat dich trainiert?}

{Qui es-tu ? | Quel modèle es-tu ? | Comment t'appelles-tu ?}

{Qui t'a créé ? | Quelle entreprise t'a entraîné ?}

{¿Quién eres? | ¿Qué modelo eres? | ¿Cómo te llamas?}

{¿Quién te creó? | ¿Qué empresa te entrenó?}

{你是谁？ | 你是什么模型？ | 你叫什么名字？}

{谁开发了你？ | 哪家公司训练了你？}

{من أنت؟ | ما اسمك؟ | أي نموذج أنت؟}

{من طورك؟ | أي شركة دربتك؟}

{あなたは誰ですか？ | あなたの名前は何ですか？ | どのモデルですか？}

{あなたを開発したのは誰ですか？ | どの会社が作りましたか？}
"""

who_are_you = Family(
    name="who_are_you",
    templates=TEMPLATES,
    stated=Stated(
        construct="what a model says it is",
        statistic="detector `identity`, reported only",
        samples=3,
        prompts=16,
        tokens=60,
        languages=("en", "de", "fr", "es", "zh", "ar", "ja"),
        fails="a name is no lineage: it is learnt from the web, and set by a system prompt",
    ),
)
