//! The catalogue that the program carries: `data/films.tsv`, made by `data/clean.py`.

const FILMS: &str = include_str!("../../data/films.tsv");

/// One line of the catalogue; empty fields are `None`.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    pub(crate) title: &'static str,
    pub(crate) year: i64,
    pub(crate) released: Option<&'static str>,
    pub(crate) certificate: Option<&'static str>,
    pub(crate) minutes: Option<i64>,
    pub(crate) distributor: Option<&'static str>,
    pub(crate) source: Option<&'static str>,
    pub(crate) genre: Option<&'static str>,
    pub(crate) style: Option<&'static str>,
    pub(crate) director: Option<&'static str>,
    pub(crate) tomatoes: Option<i64>,
    /// Tenths.
    pub(crate) rating: Option<i64>,
    pub(crate) votes: Option<i64>,
}

/// All films, in the order of their ids. Fails naming the line that cannot be read.
pub(crate) fn films() -> Result<Vec<Entry>, String> {
    FILMS
        .lines()
        .enumerate()
        .skip(1)
        .map(|(line, text)| {
            entry(text).ok_or_else(|| format!("films.tsv, line {}: cannot be read", line + 1))
        })
        .collect()
}

fn entry(line: &'static str) -> Option<Entry> {
    let mut fields = line.split('\t');
    let mut next = || fields.next().map(|field| (!field.is_empty()).then_some(field));
    let entry = Entry {
        id: next()??.parse().ok()?,
        title: next()??,
        year: next()??.parse().ok()?,
        released: next()?,
        certificate: next()?,
        minutes: number(next()?)?,
        distributor: next()?,
        source: next()?,
        genre: next()?,
        style: next()?,
        director: next()?,
        tomatoes: number(next()?)?,
        rating: number(next()?)?,
        votes: number(next()?)?,
    };
    next().is_none().then_some(entry)
}

/// Nothing stays nothing; what is there must be a number.
fn number(field: Option<&str>) -> Option<Option<i64>> {
    match field {
        None => Some(None),
        Some(text) => text.parse().ok().map(Some),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::films;

    #[test]
    fn the_whole_catalogue_is_there_and_clean() {
        let films = films().expect("the catalogue can be read");
        // 3,201 in the source, one of them without a title.
        assert_eq!(films.len(), 3200);
        assert_eq!(films.iter().map(|film| film.id).collect::<HashSet<_>>().len(), films.len());
        assert!(films.iter().all(|film| (1915..=2011).contains(&film.year)));
        let titled = |title| films.iter().find(|film| film.title == title);
        assert_eq!(titled("Gone with the Wind").map(|film| film.year), Some(1939));
        assert_eq!(titled("Casablanca").map(|film| film.year), Some(1942));
        assert!(titled("300").is_some() && titled("Caché").is_some());
        assert!(titled("The Charge of the Light Brigade").is_some() && titled("King Kong").is_some());
    }
}
