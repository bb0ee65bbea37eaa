"""Facts of the long tail: numbers at the edge of what a model knows, where a wrong value is a mark of its own.

Places and things are real and little known; no answers are kept here, since what counts is which wrong value two
models share and no control gives. A value that an encyclopedia has wrong is shared by everybody who read it.
"""

from __future__ import annotations

from depose.probes.family import Family, Stated

TEMPLATES = """
How many metres above the sea lies the railway station of {Bergün | Pontresina | Airolo | Göschenen}? Give the
number only.

In which year was the lighthouse of {Slettnes | Cape Sounion | Lista | Kullen | Hoburg} first lit? Give the year
only.

How long is the river {Venta | Ohre | Sauer | Torne | Ebbw} in kilometres? Give the number only.

In which year was the composer {Johan Helmich Roman | Anna Bon | Zdeněk Fibich | Leevi Madetoja} born? Year only.

How many inhabitants has the island of {Vormsi | Sark | Utsira | Lastovo | Iona}? Give the number only.

How deep is the lake {Sils | Saimaa | Ohrid | Sevan | Vättern} at its deepest, in metres? Give the number only.

In which year was the bridge of {Plougastel | Żdżar | Salginatobel | Garabit} opened? Year only.

What is the atomic mass of {hafnium | thulium | rhenium | dysprosium} to two decimals? Give the number only.

How many pipes has the great organ of {Oliwa | Ottobeuren | Haarlem | Passau}? Give the number only.

In which year did the painter {Vilhelm Hammershøi | Helene Schjerfbeck | Félix Vallotton | Ľudovít Fulla} die?
Year only.

How high is the church tower of {Ulm | Landshut | Riga, St Peter | Strasbourg} in metres? Give the number only.

How many kilometres long is the tunnel of {Lötschberg | Arlberg | Vereina | Seikan}? Give the number only.

In which year was the university of {Lecce | Tartu | Uppsala | Fribourg | Rostock} founded? Year only.

How many islands belong to {the Lofoten | the Orkneys | Kvarner | the Åland archipelago}? Give the number only.

What is the melting point of {indium | gallium | cerium | bismuth} in degrees Celsius? Give the number only.

How many keys has a {carillon of Bruges | clavichord by Hass | celesta by Mustel}? Give the number only.

In welchem Jahr wurde die Sternwarte {Pulkowo | Sonneberg | Kremsmünster} gegründet? Nur die Jahreszahl.

En quelle année est née {Louise Farrenc | Mel Bonis | Augusta Holmès} ? Seulement l'année.

¿A cuántos metros sobre el mar está {Ezcaray | Trevélez | Benasque}? Solo el número.
"""

long_tail = Family(
    name="long_tail",
    templates=TEMPLATES,
    stated=Stated(
        construct="what a model believes where it hardly knows: exact wrong values",
        statistic="exhibits: values shared with the reference k of K controls give; `shared_values`; `depose watch`",
        samples=3,
        prompts=19,
        tokens=12,
        languages=("en", "de", "fr", "es"),
        fails="a source that all have read is shared by all; what both know rightly says nothing",
    ),
)
