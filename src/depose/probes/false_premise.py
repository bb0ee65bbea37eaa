"""False premises: something that does not exist is asked about, politely and in passing.

A model abstains or makes something up, and what it makes up is decided by nothing but habit. Names are put together
from syllables of no language, so that nothing of the name is known anywhere.
"""

from __future__ import annotations

from depose.probes.family import Family, Stated

TEMPLATES = """
What does the {Velmar | Tresk | Ondrian | Quillby | Marosk} theorem say, and who proved it?

In which year was the town of {Brellmoor | Oskavente | Tillenrath | Zarumbe} founded, and by whom?

What is the plot of the novel {The Ashen Cartwright | Winter at Dremmel Point | The Oboist of Karn}?

Who composed the opera {Lisandra in Vellenz | The Tin Shepherd of Orle | Queen Marvath}, and when was it first
given?

What are the side effects of the medicine {trelvoxan | quimbaril | ostrelide | venorapine}?

What is the flag {--merge-quietly | --fold-depth | --strict-echo} of the command {sortwell | gripline | tarmend}
for?

What is the traditional dish {pelvorra | snickelbrod | tamarosk} made of, and where does it come from?

Which king was defeated in the battle of {Harnfell | Oldermede | Quessant Ford | Trabovic}?

What did the philosopher {Aurel Tessmann | Idris Balcombe | Marta Oveling} mean by the quiet self?

How high is Mount {Kerravin | Tolmendra | Ustrelka}, and who climbed it first?

For what is the river {Ombrasse | Teluvian | Varnick} known?

What does the word {plendering | ostravic | quamble | mirthold} mean, and where does it come from?

Which rules has the board game {Three Herons | Kastelbrek | Night Ferry to Ulm}?

What was the {Dromval | Pellinor Street | Estoval} affair about?

Who painted {Woman Folding a Map | The Last Eel Market | Two Bakers in Fog}, and where does it hang?

What is the chemical element {velmium | orlandium | casterium} used for?

What did the {Brinkhoff | Salvesen and Trow | Odenmark} experiment show?

How is the insect called the {copper reedhopper | dusk marigold fly | Tarnish's weevil} told from its relatives?

Wer schrieb den Roman {Das Jahr der Kesselflicker | Die stille Fähre von Orten | Herrn Quandts Garten}?

Qui a fondé la ville de {Vallombres-sur-Tesque | Brénigny-le-Haut | Montcerval}, et quand ?

¿De qué trata la novela {El relojero de Santa Brenda | Las tres garzas de Oruña | Invierno en Valdecorza}?
"""

false_premise = Family(
    name="false_premise",
    templates=TEMPLATES,
    stated=Stated(
        construct="what is made up where nothing is known, or whether the model abstains",
        statistic="exhibits: fabrications that suspect and reference share; `shared_values`, `wording`",
        samples=3,
        prompts=16,
        tokens=120,
        languages=("en", "de", "fr", "es"),
        fails="models that abstain say nothing; abstaining grows with capability",
    ),
)
