//! From values to places, and where the ticks are.

/// How an axis is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// From zero, or from below it.
    Linear,
    /// By decades; what is not above zero is drawn at the foot.
    Log,
}

/// An axis that holds all of its values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    scale: Scale,
    least: f64,
    most: f64,
    step: f64,
}

impl Axis {
    /// An axis whose ends are round numbers around the values.
    pub(super) fn fit(scale: Scale, values: impl Iterator<Item = f64> + Clone) -> Self {
        let finite = values.filter(|value| value.is_finite());
        match scale {
            Scale::Linear => {
                let most = finite.clone().fold(0.0, f64::max);
                let least = finite.fold(0.0, f64::min);
                let span = if most > least { most - least } else { 1.0 };
                let step = nice(span / 5.0);
                let up = |value: f64| (value / step - 1e-9).ceil() * step;
                let most = if most > least { up(most) } else { least + 1.0 };
                Self { scale, least: -up(-least), most, step }
            }
            Scale::Log => {
                let positive = finite.filter(|value| *value > 0.0);
                let most = positive.clone().fold(f64::NEG_INFINITY, f64::max);
                let least = positive.fold(f64::INFINITY, f64::min);
                let (least, most) = if most.is_finite() { (least, most) } else { (1.0, 10.0) };
                let least = 10f64.powf(least.log10().floor());
                let most = 10f64.powf((most.log10() - 1e-9).ceil()).max(least * 10.0);
                Self { scale, least, most, step: 1.0 }
            }
        }
    }

    /// From zero to exactly `most`.
    pub(super) fn to(most: f64) -> Self {
        Self { scale: Scale::Linear, least: 0.0, most, step: nice(most / 10.0) }
    }

    pub(super) fn least(&self) -> f64 {
        self.least
    }

    /// Where a value lies, from 0 to 1.
    pub(super) fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => (value - self.least) / (self.most - self.least),
            Scale::Log => {
                let value = value.max(self.least);
                (value / self.least).log10() / (self.most / self.least).log10()
            }
        }
    }

    pub(super) fn ticks(&self) -> Vec<f64> {
        let mut ticks = Vec::new();
        match self.scale {
            Scale::Linear => {
                let mut count = (self.least / self.step).round();
                while count * self.step <= self.most * (1.0 + 1e-9) {
                    ticks.push(count * self.step);
                    count += 1.0;
                }
            }
            Scale::Log => {
                let decades = (self.most / self.least).log10().round();
                let within: &[f64] = if decades <= 3.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
                let mut decade = self.least;
                while decade <= self.most * 1.001 {
                    ticks.extend(
                        within.iter().map(|times| times * decade).filter(|tick| *tick <= self.most * 1.001),
                    );
                    decade *= 10.0;
                }
            }
        }
        ticks
    }
}

/// The next larger 1, 2 or 5 times a power of ten.
fn nice(step: f64) -> f64 {
    let power = 10f64.powf(step.max(f64::MIN_POSITIVE).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|times| times * power)
        .find(|nice| *nice >= step * 0.999)
        .unwrap_or(step)
}

/// A number as it stands at an axis or beside a bar: as short as its size allows, thousands set apart.
pub(super) fn label(value: f64) -> String {
    let digits = match value.abs() {
        size if size == 0.0 || size >= 100.0 || (size - size.round()).abs() < 1e-9 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 => 2,
        _ => 4,
    };
    let plain = format!("{value:.digits$}");
    let plain = if plain.contains('.') {
        plain.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        plain
    };
    let (whole, rest) =
        plain.split_once('.').map_or((plain.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::new();
    let start = usize::from(whole.starts_with('-'));
    for (at, digit) in whole.char_indices() {
        if at > start && (whole.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match rest {
        Some(rest) => format!("{grouped}.{rest}"),
        None => grouped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_round() {
        let axis = Axis::fit(Scale::Linear, [3.0, 97.0].into_iter());
        assert_eq!(axis.ticks(), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert!((axis.place(50.0) - 0.5).abs() < 1e-9);
        let flat = Axis::fit(Scale::Linear, std::iter::empty());
        assert!(flat.place(0.0).abs() < 1e-9 && flat.ticks().len() > 1);
    }

    #[test]
    fn decades() {
        let axis = Axis::fit(Scale::Log, [0.3, 250.0, 0.0].into_iter());
        assert!(axis.place(0.1).abs() < 1e-9 && (axis.place(1000.0) - 1.0).abs() < 1e-9);
        assert!(axis.place(0.0).abs() < 1e-9);
        assert_eq!(axis.ticks().len(), 5);
    }

    #[test]
    fn labels_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (0.25, "0.25"),
            (12.5, "12.5"),
            (1_234_567.0, "1,234,567"),
            (-1200.0, "-1,200"),
            (0.005, "0.005"),
        ] {
            assert_eq!(label(value), text);
        }
    }
}
