"""The classes of the made-up ILSVRC2012 and the tree above them.

The first classes have the WNIDs, words and wordnet heights of real ones (devkit of ILSVRC2012, `meta.mat`), the glosses
are short descriptions of our own. The tree is the real one with steps left out; the dog and the computer keyboard have
two parents, as there. The order is such that a few classes already hold the traps: kit fox (ILSVRC2012_ID 1, index 278
in the whole set), two classes with the words "crane", two whose words begin with "maillot", and four dogs. After the
table come made-up classes, as many as are wanted.
"""

from __future__ import annotations

from dataclasses import dataclass

ROOT = "n00001740"
DOG = "n02084071"

_LEAVES = (
    ("n02119789", "n02118333", 0, "kit fox, Vulpes macrotis", "large-eared fox of North American deserts"),
    ("n02012849", "n01503061", 1, "crane", "tall wading bird with long legs and a long neck"),
    ("n03126707", "n03183080", 1, "crane", "tall machine that lifts and moves heavy loads"),
    ("n02085620", "n02085374", 0, "Chihuahua", "tiny dog with large ears, named after a Mexican state"),
    ("n03710637", "n03051540", 0, "maillot", "tight one-piece garment of dancers and gymnasts"),
    ("n03710721", "n03051540", 0, "maillot, tank suit", "one-piece bathing suit"),
    ("n02092002", "n02087551", 0, "Scottish deerhound, deerhound", "tall rough-haired dog for hunting deer"),
    ("n02089078", "n02087551", 0, "black-and-tan coonhound", "American hound with a black coat and tan marks"),
    ("n02105855", "n02103406", 0, "Shetland sheepdog, Shetland sheep dog, Shetland", "small collie-like herding dog"),
    ("n03063599", "n04531098", 0, "coffee mug", "mug that coffee is drunk from"),
    (
        "n04487081",
        "n03100490",
        0,
        "trolleybus, trolley coach, trackless trolley",
        "bus that takes its power from wires",
    ),
    ("n03085013", "n03614007 n03163973", 0, "computer keyboard, keypad", "keyboard that text is typed on"),
    ("n01440764", "n02512053", 0, "tench, Tinca tinca", "greenish freshwater fish of Europe and Asia"),
    ("n02123045", "n02121808", 0, "tabby, tabby cat", "cat with a striped grey or tawny coat"),
    ("n02701002", "n03791235", 1, "ambulance", "vehicle that takes sick people to hospital"),
    ("n04398044", "n04516672", 0, "teapot", "pot with a spout and a handle for making tea"),
    ("n07753592", "n07705931", 0, "banana", "long curved yellow fruit"),
    ("n03792782", "n04576211", 0, "mountain bike, all-terrain bike, off-roader", "sturdy bicycle for rough ground"),
    ("n02504458", "n01861778", 0, "African elephant, Loxodonta africana", "elephant with very large ears"),
    ("n04536866", "n03800933", 1, "violin, fiddle", "small bowed instrument with four strings"),
    ("n04099969", "n03405725", 1, "rocking chair, rocker", "chair on two curved runners"),
    ("n03594945", "n03791235", 0, "jeep, landrover", "small car for rough ground"),
    ("n02391049", "n01861778", 1, "zebra", "black-and-white striped animal of African plains"),
    ("n03792972", "n04341686", 0, "mountain tent", "light tent for climbers"),
)

_INTERNAL = (
    (ROOT, "", 19, "entity", "anything that exists"),
    ("n00001930", ROOT, 18, "physical entity", "anything that exists in space"),
    ("n00020827", "n00001930", 13, "matter", "what things are made of"),
    ("n15046900", "n00020827", 10, "solid", "matter that keeps its shape"),
    ("n07555863", "n15046900", 9, "food, solid food", "what is eaten"),
    ("n07705931", "n07555863", 4, "edible fruit", "fruit that people eat"),
    ("n00002684", "n00001930", 17, "object, physical object", "thing that can be seen and touched"),
    ("n00003553", "n00002684", 16, "whole, unit", "parts that together count as one thing"),
    ("n00004258", "n00003553", 15, "living thing, animate thing", "thing that lives"),
    ("n00004475", "n00004258", 14, "organism, being", "living thing that acts by itself"),
    (
        "n00015388",
        "n00004475",
        13,
        "animal, animate being, beast, brute, creature, fauna",
        "living being that can move",
    ),
    ("n01317541", "n00015388", 6, "domestic animal, domesticated animal", "animal that lives with people"),
    (DOG, "n01317541 n02083346", 5, "dog, domestic dog, Canis familiaris", "tame relative of the wolf"),
    ("n02085374", DOG, 3, "toy dog, toy", "dog kept for company, very small"),
    ("n02087122", DOG, 4, "hunting dog", "dog bred for hunting"),
    ("n02087551", "n02087122", 2, "hound, hound dog", "hunting dog with drooping ears"),
    ("n02103406", DOG, 3, "working dog", "dog bred for guarding, herding or pulling"),
    ("n02121808", "n01317541", 2, "domestic cat, house cat, Felis domesticus, Felis catus", "tame cat"),
    ("n01471682", "n00015388", 11, "vertebrate, craniate", "animal with a backbone"),
    ("n02512053", "n01471682", 9, "fish", "cold-blooded animal with gills and fins"),
    ("n01503061", "n01471682", 7, "bird", "feathered animal that lays eggs"),
    ("n01861778", "n01471682", 9, "mammal, mammalian", "warm-blooded animal that feeds its young with milk"),
    ("n02075296", "n01861778", 7, "carnivore", "mammal that eats flesh"),
    ("n02083346", "n02075296", 6, "canine, canid", "mammal of the family of dogs and foxes"),
    ("n02118333", "n02083346", 2, "fox", "wild canine with a pointed nose and a bushy tail"),
    ("n00021939", "n00003553", 11, "artifact, artefact", "thing that people have made"),
    ("n03575240", "n00021939", 10, "instrumentality, instrumentation", "thing made to be used for an end"),
    ("n03183080", "n03575240", 9, "device", "instrument made for one purpose"),
    ("n03614007", "n03183080", 2, "keyboard", "set of keys to be pressed"),
    ("n03163973", "n03575240", 1, "data input device, input device", "device that brings data into a computer"),
    ("n03800933", "n03183080", 7, "musical instrument, instrument", "device that makes music"),
    ("n03094503", "n03575240", 7, "container", "thing that holds something"),
    ("n04531098", "n03094503", 4, "vessel", "container for liquids"),
    ("n04576211", "n03094503", 6, "wheeled vehicle", "vehicle on wheels"),
    ("n03791235", "n04576211", 4, "motor vehicle, automotive vehicle", "wheeled vehicle with an engine, not on rails"),
    ("n03100490", "n03575240", 8, "conveyance, transport", "what carries people or goods"),
    ("n04516672", "n03575240", 5, "utensil", "tool of the household"),
    (
        "n03405725",
        "n03575240",
        5,
        "furniture, piece of furniture, article of furniture",
        "what makes a room fit to live in",
    ),
    ("n03122748", "n00021939", 7, "covering", "thing that covers or protects another"),
    (
        "n03051540",
        "n03122748",
        6,
        "clothing, article of clothing, vesture, wear, wearable, habiliment",
        "what people wear",
    ),
    ("n04341686", "n00021939", 7, "structure, construction", "thing built of many parts"),
)

_GROUP = 20  # made-up classes under one made-up internal synset


@dataclass(frozen=True, slots=True)
class Concept:
    """A synset before it has numbers; `parents` are WNIDs, none at the root."""

    wnid: str
    parents: tuple[str, ...]
    wordnet_height: int
    words: str
    gloss: str


def leaves(count: int) -> list[Concept]:
    """The first `count` classes, real ones first; each number of classes holds those of every smaller one."""
    real = [_concept(row) for row in _LEAVES[:count]]
    return real + [_made_up_leaf(number) for number in range(len(real) + 1, count + 1)]


def internal(below: list[Concept]) -> list[Concept]:
    """Every synset above the classes `below`, parents before what only they lead to, the root first."""
    known = {concept.wnid: concept for concept in map(_concept, _INTERNAL)}
    groups = max(0, len(below) - len(_LEAVES) + _GROUP - 1) // _GROUP
    for group in range(1, groups + 1):
        words, gloss = f"synthetic group {group}", "made-up classes"
        known[_group_wnid(group)] = Concept(_group_wnid(group), (ROOT,), 1, words, gloss)
    wanted: set[str] = set()
    waiting = [parent for leaf in below for parent in leaf.parents]
    while waiting:
        wnid = waiting.pop()
        if wnid not in wanted:
            wanted.add(wnid)
            waiting += known[wnid].parents
    return [concept for wnid, concept in known.items() if wnid in wanted]


def _concept(row: tuple[str, str, int, str, str]) -> Concept:
    wnid, parents, height, words, gloss = row
    return Concept(wnid, tuple(parents.split()), height, words, gloss)


def _made_up_leaf(number: int) -> Concept:
    # Multiplied, so that the order of the WNIDs is not that of the numbers in the words.
    wnid = f"n{90_000_000 + number * 611_953 % 1_000_003:08d}"
    parent = _group_wnid((number - len(_LEAVES) - 1) // _GROUP + 1)
    return Concept(wnid, (parent,), 0, f"synthetic class {number}", f"made-up class, number {number}")


def _group_wnid(group: int) -> str:
    return f"n{99_000_000 + group:08d}"
