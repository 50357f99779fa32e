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

    /// A bend of each value at each of these places. A value that is one of them, such as 0, comes from a function that is
    /// constant there, such as a ReLU that is shut, and stays so as long as that does.
    pub(crate) fn at(values: &[f64], places: &[f64]) -> Self {
        let below = |value: f64| places.iter().filter(|&&place| value > place).count();
        let distances = values.iter().flat_map(|value| places.iter().map(move |place| (value - place).abs()));
        Kinks {
            pattern: values.iter().map(|&value| below(value)).collect(),
            margin: distances.filter(|&distance| distance != 0.0).fold(f64::INFINITY, f64::min),
        }
    }
}
