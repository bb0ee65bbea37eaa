#!/usr/bin/env bash
# Hold one release against a reference, with the controls of a pack.
#
# GATE_PACK       name or file of the pack
# GATE_FOLDER     new folder of the case, one for each release
# GATE_SUSPECT    KEY=VALUE,... as in [[models]], such as
#                 file=rc9.jsonl,developer=Acme,weight_lineage=llama-3,data_lineage=rc9,released=2026-11
#                 (without maker, lineages and date hardly a finding can speak)
# GATE_REFERENCE  the same, or pack:CODE
# GATE_AUTHORITY  on what right the models are asked
# GATE_FAIL_ON    what closes the gate, with spaces between: distilled:indication same:inconclusive
set -euo pipefail
for name in GATE_PACK GATE_FOLDER GATE_SUSPECT GATE_REFERENCE GATE_AUTHORITY; do
    if [ -z "${!name:-}" ]; then
        echo "release-gate: $name is not set" >&2
        exit 2
    fi
done
options=()
read -r -a closing <<<"${GATE_FAIL_ON:-indication}"
for one in "${closing[@]}"; do
    options+=(--fail-on "$one")
done
exec depose pack audit --suspect "$GATE_SUSPECT" --reference "$GATE_REFERENCE" --authority "$GATE_AUTHORITY" \
    --flavour compliance --format "${GATE_FORMAT:-pdf,html,data}" "${options[@]}" -- "$GATE_PACK" "$GATE_FOLDER"
