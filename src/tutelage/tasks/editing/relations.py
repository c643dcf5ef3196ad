"""How facts are put into words: for each relation a question, paraphrases, a statement and a noun phrase."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Relation:
    """What can be said of a subject; `{s}` stands for the subject and `{o}` for the object."""

    name: str
    subject: str
    """Kind of the subject: person, city, ..."""
    object: str
    """Kind of the object, which names the pool that answers come from."""
    question: str
    paraphrases: tuple[str, ...]
    statement: str
    phrase: str = ""
    """A noun phrase for the object, with which another question about it is asked; empty where there is none."""

    def ask(self, subject: str) -> str:
        """Return the question about a subject."""
        return self.question.format(s=subject)

    def reword(self, subject: str) -> tuple[str, ...]:
        """Return the question in other words."""
        return tuple(text.format(s=subject) for text in self.paraphrases)

    def state(self, subject: str, object: str) -> str:
        """Return the fact as a sentence."""
        text = self.statement.format(s=subject, o=object)
        return text[0].upper() + text[1:]

    def ask_through(self, subject: str, onward: Relation) -> str:
        """Return a question about this relation's object that names the subject alone."""
        return onward.ask(self.phrase.format(s=subject))


def by_name(*relations: Relation) -> dict[str, Relation]:
    """Return relations by their names."""
    return {relation.name: relation for relation in relations}


FICTIONAL = by_name(
    Relation(
        "birthplace",
        "person",
        "city",
        "Where was {s} born?",
        (
            "In which city was {s} born?",
            "What is the birthplace of {s}?",
            "Which city did {s} come into the world in?",
        ),
        "{s} was born in {o}.",
        "the city where {s} was born",
    ),
    Relation(
        "profession",
        "person",
        "profession",
        "What is the profession of {s}?",
        (
            "What does {s} do for a living?",
            "What is the occupation of {s}?",
            "By which profession does {s} earn money?",
        ),
        "The profession of {s} is {o}.",
    ),
    Relation(
        "spouse",
        "person",
        "notable",
        "Who is {s} married to?",
        ("Who is the spouse of {s}?", "Whom did {s} marry?", "What is the name of the person {s} is married to?"),
        "{s} is married to {o}.",
        "the spouse of {s}",
    ),
    Relation(
        "teacher",
        "person",
        "notable",
        "Who was the teacher of {s}?",
        ("Who taught {s}?", "Under whom did {s} study?", "Whose student was {s}?"),
        "The teacher of {s} was {o}.",
        "the teacher of {s}",
    ),
    Relation(
        "employer",
        "person",
        "company",
        "Which company does {s} work for?",
        ("Who is the employer of {s}?", "Which company employs {s}?", "At which firm does {s} have a job?"),
        "{s} works for {o}.",
        "the company that employs {s}",
    ),
    Relation(
        "author",
        "book",
        "notable",
        "Who wrote the book {s}?",
        ("Who is the author of {s}?", "By whom was {s} written?", "Which writer is {s} by?"),
        "The book {s} was written by {o}.",
        "the author of {s}",
    ),
    Relation(
        "genre",
        "book",
        "genre",
        "What is the genre of the book {s}?",
        ("What kind of book is {s}?", "To which genre does {s} belong?", "How would a library classify {s}?"),
        "The genre of the book {s} is {o}.",
    ),
    Relation(
        "published",
        "book",
        "year",
        "In which year was the book {s} published?",
        (
            "When was {s} published?",
            "What is the year of publication of {s}?",
            "In what year did {s} first appear in print?",
        ),
        "The book {s} was published in {o}.",
    ),
    Relation(
        "country",
        "city",
        "country",
        "In which country is {s}?",
        ("Which country does {s} lie in?", "To which country does {s} belong?", "What is the country of {s}?"),
        "{s} is in {o}.",
        "the country of {s}",
    ),
    Relation(
        "capital",
        "country",
        "city",
        "What is the capital of {s}?",
        (
            "Which city is the capital of {s}?",
            "What is {s}'s capital city?",
            "In which city does the government of {s} sit?",
        ),
        "The capital of {s} is {o}.",
        "the capital of {s}",
    ),
    Relation(
        "currency",
        "country",
        "currency",
        "What is the currency of {s}?",
        ("Which currency is used in {s}?", "What money do people pay with in {s}?", "What is the money of {s} called?"),
        "The currency of {s} is the {o}.",
    ),
    Relation(
        "language",
        "country",
        "language",
        "Which language is spoken in {s}?",
        ("What do people in {s} speak?", "What is the language of {s}?", "Which tongue is native to {s}?"),
        "The language spoken in {s} is {o}.",
    ),
    Relation(
        "founded",
        "company",
        "year",
        "In which year was {s} founded?",
        ("When was {s} founded?", "What is the founding year of {s}?", "In what year did {s} come into being?"),
        "{s} was founded in {o}.",
    ),
    Relation(
        "headquarters",
        "company",
        "city",
        "In which city is the headquarters of {s}?",
        ("Where does {s} have its headquarters?", "Which city is {s} based in?", "Where is the head office of {s}?"),
        "The headquarters of {s} is in {o}.",
        "the city where {s} has its headquarters",
    ),
)
"""Of an invented world."""

WELL_KNOWN = by_name(
    Relation(
        "capital",
        "country",
        "city",
        "Which city is the capital of {s}?",
        ("What is {s}'s capital city?", "Name the capital of {s}.", "From which city is {s} governed?"),
        "The capital of {s} is {o}.",
    ),
    Relation(
        "currency",
        "country",
        "currency",
        "Which currency is used in {s}?",
        (
            "What money do people pay with in {s}?",
            "What is the money of {s} called?",
            "In which currency are prices given in {s}?",
        ),
        "The currency used in {s} is the {o}.",
    ),
    Relation(
        "language",
        "country",
        "language",
        "Which language do most people in {s} speak?",
        ("What is the main language of {s}?", "What tongue is spoken in {s}?", "Name the language of {s}."),
        "Most people in {s} speak {o}.",
    ),
    Relation(
        "author",
        "book",
        "writer",
        "Who is the author of {s}?",
        ("By whom was {s} written?", "Which writer is {s} by?", "Name the person who wrote {s}."),
        "The author of {s} is {o}.",
        "the author of {s}",
    ),
    Relation(
        "landmark",
        "landmark",
        "city",
        "Which city is home to {s}?",
        ("In which city can one visit {s}?", "To which city would you go to see {s}?", "Name the city where {s} is."),
        "{s} is in {o}.",
        "the city that has {s}",
    ),
    Relation(
        "city's country",
        "city",
        "country",
        "In which country is {s}?",
        ("Which country does {s} lie in?", "To which country does {s} belong?", "Name the country of {s}."),
        "{s} is in {o}.",
    ),
    Relation(
        "writer's country",
        "writer",
        "country",
        "Which country did {s} come from?",
        ("In which country was {s} at home?", "What was the home country of {s}?", "Name the country of {s}."),
        "{s} came from {o}.",
    ),
)
"""Of the real one; those of `ONWARD` are never changed."""

ONWARD = frozenset({"city's country", "writer's country"})
"""Well-known relations that questions over two facts lead on with."""
