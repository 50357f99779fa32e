//! Where a function bends.

/// Which side of each bend the arguments lie on, and how far the nearest bend is.
#[derive(Debug, Clone, PartialEq)]
pub struct Kinks {
    /// A number for each bend: it changes when the arguments cross it.
    pub pattern: Vec<usize>,
    /// Distance to the nearest bend; infinite where there is none.
    pub margin: f64,
}

impl Default for Kinks {
    fn default() -> Self {
        Kinks { pattern: Vec::new(), margin: f64::INFINITY }
    }
}

impl Kinks {
    /// These and those.
    pub fn extend(&mut self, other: Kinks) {
        self.pattern.extend(other.pattern);
        self.margin = self.margin.min(other.margin);
    }

    /// A bend at 0 of each value. A zero comes from a ReLU that is shut, and is one as long as that stays so.
    pub(crate) fn at_zero(values: &[f64]) -> Self {
        let pattern = values.iter().map(|&value| usize::from(value > 0.0)).collect();
        let distances = values.iter().filter(|&&value| value != 0.0).map(|value| value.abs());
        Kinks { pattern, margin: distances.fold(f64::INFINITY, f64::min) }
    }
}
