//! What samples are called: a name for each of them, in little more room than their letters take.

/// Names, one after another.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SampleNames {
    text: String,
    /// Where each name ends.
    ends: Vec<usize>,
}

impl SampleNames {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The name of this number; `None` beyond the last.
    pub fn get(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }

    /// Those of these numbers, in this order.
    pub fn select(&self, places: impl Iterator<Item = usize>) -> Self {
        places.map(|at| self.get(at).unwrap_or_default()).collect()
    }
}

impl<N: AsRef<str>> FromIterator<N> for SampleNames {
    fn from_iter<I: IntoIterator<Item = N>>(names: I) -> Self {
        let mut all = SampleNames::default();
        for name in names {
            all.text.push_str(name.as_ref());
            all.ends.push(all.text.len());
        }
        all
    }
}
