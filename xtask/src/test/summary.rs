use std::time::Duration;

/// How a step ended.
#[derive(Debug)]
pub(super) enum Outcome {
    Passed(String),
    Skipped(String),
    Failed(String),
}

/// The steps so far.
#[derive(Debug, Default)]
pub(super) struct Summary {
    rows: Vec<(&'static str, Duration, Outcome)>,
}

impl Summary {
    /// Says how a step ended, and remembers it.
    pub(super) fn add(&mut self, name: &'static str, took: Duration, outcome: Outcome) {
        let seconds = took.as_secs_f32();
        match &outcome {
            Outcome::Passed(note) => println!("-- {name}: passed in {seconds:.1} s {note}"),
            Outcome::Skipped(why) => println!("-- {name}: SKIPPED: {why}"),
            Outcome::Failed(error) => println!("-- {name}: FAILED after {seconds:.1} s\n{error}"),
        }
        self.rows.push((name, took, outcome));
    }

    pub(super) fn failed(&self) -> usize {
        self.rows.iter().filter(|(_, _, outcome)| matches!(outcome, Outcome::Failed(_))).count()
    }

    fn passed(&self) -> usize {
        self.rows.iter().filter(|(_, _, outcome)| matches!(outcome, Outcome::Passed(_))).count()
    }

    pub(super) fn print(&self) {
        print!("\n{}", self.table());
    }

    /// A row a step, then what it took together, then the line that tells the result.
    fn table(&self) -> String {
        let mut table = String::new();
        for (name, took, outcome) in &self.rows {
            let (word, note) = match outcome {
                Outcome::Passed(note) => ("passed", note.as_str()),
                Outcome::Skipped(why) => ("skipped", why.as_str()),
                Outcome::Failed(error) => ("FAILED", error.lines().next().unwrap_or_default()),
            };
            let line = format!("{name:<12} {word:<8} {:>7.1} s  {note}", took.as_secs_f32());
            table.push_str(line.trim_end());
            table.push('\n');
        }
        let total: Duration = self.rows.iter().map(|(_, took, _)| *took).sum();
        let skipped = self.rows.len() - self.passed() - self.failed();
        if skipped > 0 {
            table.push_str(&format!("{skipped} skipped, for the reason given\n"));
        }
        table.push_str(&format!("in {} min {} s\n", total.as_secs() / 60, total.as_secs() % 60));
        table.push_str(&format!("{} passed, {} failed\n", self.passed(), self.failed()));
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_steps() {
        let mut summary = Summary::default();
        summary.add("one", Duration::from_secs(61), Outcome::Passed(String::from("(3 tests)")));
        summary.add("two", Duration::from_secs(1), Outcome::Failed(String::from("first line\nsecond line")));
        summary.add("three", Duration::ZERO, Outcome::Skipped(String::from("no network")));
        let table = summary.table();
        assert!(
            table.ends_with("1 skipped, for the reason given\nin 1 min 2 s\n1 passed, 1 failed\n"),
            "{table}"
        );
        assert!(table.contains("first line\n") && !table.contains("second line"), "{table}");
        assert_eq!(summary.failed(), 1);
    }
}
