//! What all rounds came to: medians, spreads, ratios within a round, and whether the targets were met.

use std::collections::BTreeMap;

use super::contender::{ALL, Contender, Kind};
use super::turn::Figures;
use crate::bench::results::Series;

/// The cached loads that the targets are about.
pub(crate) const CACHED: [(&str, &str); 2] = [("data", "a look-up"), ("pages", "the shop's pages and data")];

/// Something measured, as it is shown.
pub(crate) struct Shown {
    /// Its name among a turn's figures.
    pub(crate) figure: &'static str,
    pub(crate) words: &'static str,
    pub(crate) unit: &'static str,
    /// What one figure is divided by to be shown.
    pub(crate) divisor: f64,
    pub(crate) digits: usize,
    pub(crate) more_is_better: bool,
}

const fn shown(
    figure: &'static str,
    words: &'static str,
    unit: &'static str,
    divisor: f64,
    digits: usize,
    more_is_better: bool,
) -> Shown {
    Shown { figure, words, unit, divisor, digits, more_is_better }
}

/// The columns of the table.
pub(crate) const SHOWN: [Shown; 12] = [
    shown("data_cpu_us", "CPU a cached look-up", "µs", 1.0, 1, false),
    shown("pages_cpu_us", "CPU a cached page", "µs", 1.0, 1, false),
    shown("rate_cpu_us", "CPU a cached page at the fixed rate", "µs", 1.0, 1, false),
    shown("cold_cpu_us", "CPU a miss", "µs", 1.0, 1, false),
    shown("data_requests_per_second", "cached look-ups", "/s", 1.0, 0, true),
    shown("pages_requests_per_second", "cached pages", "/s", 1.0, 0, true),
    shown("rate_p50_us", "p50 at the fixed rate", "ms", 1e3, 2, false),
    shown("rate_p99_us", "p99 at the fixed rate", "ms", 1e3, 2, false),
    shown("cold_requests_per_second", "misses", "/s", 1.0, 0, true),
    shown("memory_bytes", "peak memory", "MB", 1e6, 1, false),
    shown("stampede_origin_requests", "origin requests in a stampede", "", 1.0, 0, false),
    shown("stampede_refused", "refused in a stampede", "", 1.0, 0, false),
];

/// A ratio that is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) words: String,
    /// At most (`<=`), at least (`>=`), or exactly (`==`).
    pub(crate) comparison: &'static str,
    pub(crate) wanted: f64,
    pub(crate) reached: Series,
}

impl Target {
    /// By the median of the rounds; an exact one in every round.
    pub(crate) fn met(&self) -> bool {
        match self.comparison {
            "<=" => self.reached.median() <= self.wanted,
            ">=" => self.reached.median() >= self.wanted,
            _ => self.reached.0.iter().all(|reached| (reached - self.wanted).abs() < 1e-9),
        }
    }
}

/// The figures of all turns, by contender, a round after the other.
#[derive(Debug, Default)]
pub(crate) struct Results {
    turns: BTreeMap<&'static str, Vec<Figures>>,
}

impl Results {
    pub(crate) fn add(&mut self, contender: &Contender, figures: Figures) {
        self.turns.entry(contender.name).or_default().push(figures);
    }

    /// The contenders that were measured, in the table's order.
    pub(crate) fn contenders(&self) -> Vec<&'static Contender> {
        ALL.iter().filter(|contender| self.turns.contains_key(contender.name)).collect()
    }

    pub(crate) fn series(&self, contender: &str, figure: &str) -> Series {
        let turns = self.turns.get(contender).map(Vec::as_slice).unwrap_or_default();
        Series(turns.iter().filter_map(|turn| turn.get(figure).copied()).collect())
    }

    pub(crate) fn turns(&self) -> &BTreeMap<&'static str, Vec<Figures>> {
        &self.turns
    }

    /// Every figure's name.
    pub(crate) fn figures(&self) -> Vec<String> {
        let turns = self.turns.values().flatten();
        turns
            .flat_map(|turn| turn.keys().cloned())
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// The targets between contenders that were measured.
    pub(crate) fn targets(&self) -> Vec<Target> {
        let mut targets = Vec::new();
        for (load, words) in CACHED {
            let figure = format!("{load}_cpu_us");
            for (own, other, comparison, wanted) in [
                ("native", "nginx", "<=", 0.7),
                ("native", "varnish", "<=", 0.7),
                ("classic", "native", ">=", 60.0),
                ("classic", "workerd", ">=", 15.0),
            ] {
                let (one, two) = (self.series(own, &figure), self.series(other, &figure));
                if !one.0.is_empty() && !two.0.is_empty() {
                    targets.push(Target {
                        name: format!("ratio_{load}_{own}_{other}"),
                        words: format!("CPU a request, {words}: {own} / {other}"),
                        comparison,
                        wanted,
                        reached: one.beside(&two),
                    });
                }
            }
        }
        let once = self.series("native", "stampede_origin_requests");
        if !once.0.is_empty() {
            targets.push(Target {
                name: String::from("stampede_native_origin_requests"),
                words: String::from("Origin requests in a stampede, native"),
                comparison: "==",
                wanted: 1.0,
                reached: once,
            });
        }
        targets
    }

    /// What the platform allows at most, as a sentence: the classic stack beside a Worker that does nothing.
    pub(crate) fn floor(&self) -> Option<(Series, String)> {
        let (classic, floor) =
            (self.series("classic", "data_cpu_us"), self.series("constant", "data_cpu_us"));
        if classic.0.is_empty() || floor.0.is_empty() {
            return None;
        }
        let most = classic.beside(&floor);
        let sentence = format!(
            "A Worker that answers a constant and does nothing else costs {:.1} µs a request in the same rounds. The classic stack \
             costs {:.1} times that for a look-up: no Worker's ratio can be higher here.",
            floor.median(),
            most.median()
        );
        Some((most, sentence))
    }

    /// Contenders that did not carry the fixed rate, which voids the latencies: requests waited for one another.
    pub(crate) fn overrun(&self, rate: f64) -> Vec<&'static str> {
        let carried = |name| self.series(name, "rate_requests_per_second").median() >= rate * 0.97;
        let caches = self.contenders().into_iter().filter(|one| one.kind != Kind::Floor);
        caches.filter(|one| !carried(one.name)).map(|one| one.title).collect()
    }

    /// Sentences on where ours are behind one of the others, by more than the tenth that runs differ by anyway.
    pub(crate) fn behind(&self) -> Vec<String> {
        let measured = self.contenders();
        let mut sentences = Vec::new();
        for own in measured.iter().filter(|contender| contender.kind == Kind::Own) {
            for shown in &SHOWN {
                let figure = |contender: &Contender| self.series(contender.name, shown.figure).median();
                let mine = figure(own);
                let ahead: Vec<String> = measured
                    .iter()
                    .filter(|other| other.kind == Kind::Other)
                    .filter(|other| {
                        let theirs = figure(other);
                        if shown.more_is_better { mine < theirs * 0.9 } else { mine > theirs * 1.1 }
                    })
                    .map(|other| format!("{} ({})", other.title, shown.value(figure(other))))
                    .collect();
                if !ahead.is_empty() {
                    let mine = shown.value(mine);
                    sentences.push(format!(
                        "{} is behind in {}: {mine}, beside {}.",
                        own.title,
                        shown.words,
                        ahead.join(", ")
                    ));
                }
            }
        }
        sentences
    }
}

impl Shown {
    /// A figure with its unit.
    pub(crate) fn value(&self, figure: f64) -> String {
        let space = if self.unit.is_empty() || self.unit == "/s" { "" } else { " " };
        format!("{}{space}{}", self.number(figure), self.unit)
    }

    /// A figure without its unit, thousands told apart.
    pub(crate) fn number(&self, figure: f64) -> String {
        if !figure.is_finite() {
            return String::from("-");
        }
        let value = figure / self.divisor;
        // A thousand microseconds need no tenths.
        let digits = if value >= 1000.0 { 0 } else { self.digits };
        let text = format!("{value:.digits$}");
        let (whole, rest) = text.split_once('.').map_or((&*text, None), |(whole, rest)| (whole, Some(rest)));
        let mut grouped = String::new();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        rest.map_or(grouped.clone(), |rest| format!("{grouped}.{rest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(figures: &[(&'static str, &str, f64)]) -> Results {
        let mut results = Results::default();
        for &(name, figure, value) in figures {
            let contender = ALL.iter().find(|contender| contender.name == name).expect("a contender");
            results.add(contender, [(figure.to_owned(), value)].into());
        }
        results
    }

    #[test]
    fn targets_are_ratios_within_a_round() {
        let results = results(&[
            ("native", "data_cpu_us", 10.0),
            ("nginx", "data_cpu_us", 20.0),
            ("classic", "data_cpu_us", 500.0),
        ]);
        let targets = results.targets();
        let met: Vec<_> = targets.iter().map(|target| (&*target.name, target.met())).collect();
        assert_eq!(met, [("ratio_data_native_nginx", true), ("ratio_data_classic_native", false)]);
    }

    #[test]
    fn a_stampede_must_be_one_request_in_every_round() {
        let once = results(&[("native", "stampede_origin_requests", 1.0)]);
        assert!(once.targets()[0].met());
        let mut twice = once;
        twice.add(&ALL[0], [(String::from("stampede_origin_requests"), 2.0)].into());
        assert!(!twice.targets()[0].met());
    }

    #[test]
    fn what_is_behind_is_said() {
        let results = results(&[("workerd", "data_cpu_us", 60.0), ("nginx", "data_cpu_us", 20.0)]);
        let behind = results.behind();
        assert_eq!(
            behind,
            [
                "Levee on workerd is behind in CPU a cached look-up: 60.0 µs, beside nginx proxy_cache (20.0 µs)."
            ]
        );
    }

    #[test]
    fn figures_as_people_read_them() {
        assert_eq!(SHOWN[4].value(12_345.6), "12,346/s");
        assert_eq!(SHOWN[6].value(1_234.0), "1.23 ms");
        assert_eq!(SHOWN[0].value(1_234.5), "1,234 µs");
        assert_eq!(SHOWN[10].value(1.0), "1");
    }
}
