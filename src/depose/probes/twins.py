"""Twins: one question in English, German, French and Spanish, as one cluster.

What is chosen, in which order, survives translation where it comes from the model rather than from the words.
Twins of a
filling are drawn together; they are never treated as independent.
"""

from __future__ import annotations

from depose.probes.family import Family, Stated

TEMPLATES = """
What belongs in a good {breakfast | soup | salad}? // Was gehört in {ein gutes Frühstück | eine gute Suppe |
einen guten Salat}? // Que faut-il pour {un bon petit-déjeuner | une bonne soupe | une bonne salade} ? // ¿Qué
lleva {un buen desayuno | una buena sopa | una buena ensalada}?

How does {a bicycle | a kettle | a piano} work? // Wie funktioniert {ein Fahrrad | ein Wasserkocher | ein
Klavier}? // Comment fonctionne {un vélo | une bouilloire | un piano} ? // ¿Cómo funciona {una bicicleta | un
hervidor | un piano}?

Why do {leaves turn yellow | birds sing | people yawn}? // Warum {werden Blätter gelb | singen Vögel | gähnen
Menschen}? // Pourquoi {les feuilles jaunissent-elles | les oiseaux chantent-ils | les gens bâillent-ils} ? //
¿Por qué {amarillean las hojas | cantan los pájaros | bosteza la gente}?

How do I learn {to swim | to draw | to cook}? // Wie lerne ich {schwimmen | zeichnen | kochen}? // Comment
apprendre à {nager | dessiner | cuisiner} ? // ¿Cómo aprendo a {nadar | dibujar | cocinar}?

Tell a very short story about {a lost key | an old tree | a late train}. // Erzähle eine sehr kurze Geschichte
über {einen verlorenen Schlüssel | einen alten Baum | einen späten Zug}. // Raconte une très courte histoire sur
{une clé perdue | un vieil arbre | un train en retard}. // Cuenta una historia muy corta sobre {una llave
perdida | un árbol viejo | un tren que llega tarde}.

Name three reasons to {travel | read | garden}. // Nenne drei Gründe {zu reisen | zu lesen | zu gärtnern}. //
Donne trois raisons de {voyager | lire | jardiner}. // Da tres razones para {viajar | leer | cuidar un jardín}.

What makes a good {friend | teacher | neighbour}? // Was macht {einen guten Freund | einen guten Lehrer | einen
guten Nachbarn} aus? // Qu'est-ce qui fait {un bon ami | un bon professeur | un bon voisin} ? // ¿Qué hace {a un
buen amigo | a un buen maestro | a un buen vecino}?

What can one do on a {rainy day | winter evening | long journey}? // Was kann man {an einem Regentag | an einem
Winterabend | auf einer langen Reise} tun? // Que faire {un jour de pluie | un soir d'hiver | pendant un long
voyage} ? // ¿Qué se puede hacer {un día de lluvia | una noche de invierno | en un viaje largo}?

Describe {the sea | a forest | a market} in a few sentences. // Beschreibe {das Meer | einen Wald | einen Markt}
in ein paar Sätzen. // Décris {la mer | une forêt | un marché} en quelques phrases. // Describe {el mar | un
bosque | un mercado} en unas frases.

How do I keep {bread | herbs | cheese} fresh? // Wie halte ich {Brot | Kräuter | Käse} frisch? // Comment garder
{le pain | les herbes | le fromage} au frais ? // ¿Cómo conservo {el pan | las hierbas | el queso}?
"""

twins = Family(
    name="twins",
    templates=TEMPLATES,
    twins=True,
    stated=Stated(
        construct="what is chosen and in which order, whatever the language",
        statistic="detectors `embedding` and `wording`, language by language; exhibits",
        samples=1,
        prompts=16,
        tokens=150,
        languages=("en", "de", "fr", "es"),
        fails="models answer more alike in English; translation is a skill of its own",
    ),
)
