"""Control packs that ship with depose: answers of the laboratory's models (docs/guide/packs.md)."""
