//! Whether each typed figure has a source in its sentence.

use anyhow::{Result, bail};

use super::super::read::{BEGIN, END, bare_numbers};
use super::{CLOSE, OPEN};

/// Refuses a sentence that holds a typed figure and cites nothing. Figures of the evidence are marked, and years are dates.
///
/// # Errors
/// With the figure and the sentence.
pub(in super::super) fn check(text: &str) -> Result<()> {
    for sentence in sentences(text) {
        let cites = sentence.contains(OPEN);
        let typed = without(&sentence);
        if let Some(number) = bare_numbers(&typed).find(|number| !is_year(number))
            && !cites
        {
            bail!("{number} is typed, and its sentence cites nothing: {}", typed.trim());
        }
    }
    Ok(())
}

/// Parts of a text that end in a full stop, a question mark or an exclamation mark before a space and what may begin a
/// sentence: a capital, a figure or a quotation.
fn sentences(text: &str) -> Vec<String> {
    let mut sentences = vec![String::new()];
    let mut characters = text.chars().peekable();
    let mut ended = false;
    while let Some(character) = characters.next() {
        if ended && character.is_whitespace() && characters.peek().is_none_or(begins) {
            sentences.push(String::new());
        }
        ended = matches!(character, '.' | '?' | '!') || (ended && matches!(character, '"' | ')' | '”'));
        if let Some(sentence) = sentences.last_mut() {
            sentence.push(character);
        }
    }
    sentences
}

fn begins(next: &char) -> bool {
    next.is_uppercase() || next.is_ascii_digit() || ['“', BEGIN].contains(next)
}

/// Without what is marked: figures of the evidence, and the numbers of citations.
fn without(text: &str) -> String {
    let mut marked = false;
    let mut out = String::new();
    for character in text.chars() {
        match character {
            BEGIN | OPEN => marked = true,
            END | CLOSE => marked = false,
            _ if marked => {}
            _ => out.push(character),
        }
    }
    out
}

/// `2009`, also with a comma or a full stop behind it.
fn is_year(word: &str) -> bool {
    let digits = word.trim_matches(|character: char| !character.is_ascii_digit());
    digits.len() == 4 && digits.parse::<u32>().is_ok_and(|year| (1990..2040).contains(&year))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_needs_a_source_in_its_own_sentence() {
        let cite = format!("{OPEN}3{CLOSE}");
        for right in [
            format!("It was 800,000 a second {cite}. Nobody minded."),
            format!("Was it 15 s {cite}? It was."),
            String::from("In 2009, and in June 2009. HTTP/1.1 by RFC 9111, section 4."),
            format!("We saw {BEGIN}1,000{END} clients."),
            String::from("Two of eighteen."),
        ] {
            check(&right).unwrap_or_else(|error| panic!("{right}: {error}"));
        }
        for wrong in [
            format!("It was 800,000 a second. Nobody minded {cite}."),
            format!("It is so {cite}. At 15 s it ends."),
            String::from("It took 12.5 ms."),
            String::from("90 % of them."),
        ] {
            assert!(check(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn points_within_numbers_and_names_end_nothing() {
        assert_eq!(sentences("At 2.3 s. en.wikipedia.org is up. Yes. 12 of them").len(), 3);
        assert_eq!(sentences("He said (\"no.\") That was it").len(), 2);
    }
}
