//! Medians, spreads and ratios, as a table and as JSON.

use serde_json::{Value, json};

/// Figures of one thing over all rounds, in microseconds a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series(pub(crate) Vec<f64>);

impl Series {
    pub(crate) fn median(&self) -> f64 {
        median(&self.0)
    }

    /// The least and the most.
    pub(crate) fn bounds(&self) -> (f64, f64) {
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        (least, self.0.iter().copied().fold(0.0, f64::max))
    }

    /// This beside another, round by round: what disturbs a round disturbs both.
    pub(crate) fn beside(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(own, other)| own / other).collect())
    }

    pub(crate) fn json(&self) -> Value {
        let (least, most) = self.bounds();
        let round = |figure: f64| (figure * 1000.0).round() / 1000.0;
        json!({
            "median": round(self.median()),
            "least": round(least),
            "most": round(most),
            "rounds": self.0.iter().copied().map(round).collect::<Vec<_>>(),
        })
    }

    /// `median (least - most)`.
    pub(crate) fn shown(&self, digits: usize) -> String {
        let (least, most) = self.bounds();
        format!("{:>6.digits$} ({least:.digits$} - {most:.digits$})", self.median())
    }
}

pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_one() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        let (slow, quick) = (Series(vec![2.0, 20.0, 3.0]), Series(vec![1.0, 10.0, 2.0]));
        assert_eq!(slow.beside(&quick).0, [2.0, 2.0, 1.5]);
        assert_eq!(slow.beside(&quick).shown(2), "  2.00 (1.50 - 2.00)");
    }
}
