#!/usr/bin/env python3
"""Turn the raw catalogue into `films.tsv`, which the box office is built with.

    python3 clean.py movies.json > films.tsv

`movies.json` is `data/movies.json` of the npm package `vega-datasets` 3.2.1. The
same input always gives the same bytes. What is repaired, and why, is listed in
`docs/origin.md` under "The catalogue"; each rule below is one line of that list.
"""

import datetime
import json
import re
import sys

# The catalogue was compiled in 2010: its last release is of 2011.
LAST_YEAR = 2011
COLUMNS = [
    "id", "title", "year", "released", "certificate", "minutes", "distributor",
    "source", "genre", "style", "director", "tomatoes", "rating", "votes",
]
ARTICLE = re.compile(r"^(.*), (The|A|An|Les|Le|La)$")
YEAR_IN_TITLE = re.compile(r"^(.*) \(((?:19|20)\d\d)\)$")


def text(value):
    """A trimmed string without tabs or doubled blanks; nothing for null."""
    return "" if value is None else " ".join(str(value).split())


def unscramble(title):
    """Undo Latin-1 bytes that were once read as Mac OS Roman ("AmÈlie" for "Amélie")."""
    if title.isascii():
        return title
    try:
        return title.encode("mac_roman").decode("cp1252")
    except UnicodeError:
        return title


def clean_title(raw, year):
    title = unscramble(text(raw))
    if match := YEAR_IN_TITLE.match(title):
        if int(match[2]) == year:
            title = match[1]
    if match := ARTICLE.match(title):
        title = f"{match[2]} {match[1]}"
    return title


def clean_date(raw):
    """Gives (year, ISO date or nothing)."""
    date = datetime.datetime.strptime(raw, "%b %d %Y").date()
    last_day = (date.month, date.day) == (12, 31)
    # A bare year N became 1 January N at midnight and then, one time zone further west, 31 December N-1.
    if last_day and date.year <= 1996:
        return date.year + 1, ""
    # A two-digit year was put into the wrong century.
    if date.year > LAST_YEAR:
        date = date.replace(year=date.year - 100)
    # 1 January stands for "some time in that year" in this source.
    if (date.month, date.day) == (1, 1):
        return date.year, ""
    return date.year, date.isoformat()


def clean(number, film):
    if film["Title"] is None:
        return None
    year, released = clean_date(film["Release Date"])
    certificate = text(film["MPAA Rating"])
    rating = film["IMDB Rating"]
    return [
        number, clean_title(film["Title"], year), year, released,
        "" if certificate == "Open" else certificate,
        film["Running Time min"], text(film["Distributor"]), text(film["Source"]),
        text(film["Major Genre"]), text(film["Creative Type"]), text(film["Director"]),
        film["Rotten Tomatoes Rating"],
        # Tenths, so that the program needs no floating point.
        None if rating is None else round(rating * 10),
        film["IMDB Votes"],
    ]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        films = json.load(file)
    print("\t".join(COLUMNS))
    # The id is the film's place in the source, so that dropping one renames no other.
    for number, film in enumerate(films, start=1):
        if row := clean(number, film):
            print("\t".join("" if value is None else str(value) for value in row))


if __name__ == "__main__":
    main()
