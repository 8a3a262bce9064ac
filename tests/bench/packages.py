"""Prints for each peer: its name, its packages, the libraries they need; separated by tabs."""

import agents

for _, section in agents.sections(agents.peer_files()):
    print("\t".join((section.name, " ".join(section.get("packages", "").split()),
                     " ".join(section.get("libraries", "").split()))))
