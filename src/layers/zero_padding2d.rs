use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::optimizers::Regularizer;

/// Rows and columns of zeros around images. Source: `keras/src/layers/reshaping/zero_padding2d.py`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZeroPadding2D {
    /// Name in weight files and messages; by default `zero_padding2d`, `zero_padding2d_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many rows and columns: on all sides (`1`), above and below and left and right (`[1, 2]`), or on each side
    /// (`[[top, bottom], [left, right]]`); default 1.
    #[serde(default)]
    pub padding: Sides,
}

/// Rows above and below an image, and columns before and after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "SidesForm", into = "[[usize; 2]; 2]")]
pub struct Sides {
    /// Rows above and below.
    pub rows: [usize; 2],
    /// Columns before and after.
    pub columns: [usize; 2],
}

/// How sides may be written in a model file.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "padding is a number such as 1, rows and columns such as [1, 2], or [[top, bottom], [left, right]]"
)]
enum SidesForm {
    All(usize),
    Axes([usize; 2]),
    Each([[usize; 2]; 2]),
}

impl From<SidesForm> for Sides {
    fn from(form: SidesForm) -> Self {
        match form {
            SidesForm::All(size) => size.into(),
            SidesForm::Axes([rows, columns]) => (rows, columns).into(),
            SidesForm::Each([rows, columns]) => Sides { rows, columns },
        }
    }
}

impl From<usize> for Sides {
    fn from(size: usize) -> Self {
        (size, size).into()
    }
}

impl From<(usize, usize)> for Sides {
    fn from((rows, columns): (usize, usize)) -> Self {
        Sides { rows: [rows; 2], columns: [columns; 2] }
    }
}

impl From<[[usize; 2]; 2]> for Sides {
    fn from([rows, columns]: [[usize; 2]; 2]) -> Self {
        Sides { rows, columns }
    }
}

impl From<Sides> for [[usize; 2]; 2] {
    fn from(sides: Sides) -> Self {
        [sides.rows, sides.columns]
    }
}

impl Default for Sides {
    fn default() -> Self {
        1.into()
    }
}

impl ZeroPadding2D {
    /// So many zeros on each side: `1`, `(rows, columns)` or `[[top, bottom], [left, right]]`.
    pub fn new(padding: impl Into<Sides>) -> Self {
        ZeroPadding2D { name: None, padding: padding.into() }
    }

    fn border<'a>(&self, place: &'a Place<'a>, batch: usize) -> Border<'a> {
        let [h, w, c] = place.image();
        let Sides { rows, columns } = self.padding;
        let [out_h, out_w, _] = place.images_out();
        let windows =
            Windows { out: [out_h, out_w], before: [rows[0], columns[0]], after: [rows[1], columns[1]] };
        Border { place, name: "pad", image: [batch, h, w, c], windows }
    }
}

named!(ZeroPadding2D);

impl LayerKind for ZeroPadding2D {
    const CLASS: &'static str = "ZeroPadding2D";
    const STEM: &'static str = "zero_padding2d";
    const SETTINGS: &'static [&'static str] = &["padding"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        let [h, w, c] = image(single(inputs)?)?;
        let Sides { rows, columns } = self.padding;
        let longer = |len: usize, by: [usize; 2]| by.iter().fold(len, |len, &more| len.saturating_add(more));
        Ok(Inferred { output: Shape::Image([longer(h, rows), longer(w, columns), c]), weights: Vec::new() })
    }

    fn on_host(&self, place: &Place<'_>, sample: Vec<f32>) -> Option<Vec<f32>> {
        let ([_, w, c], [_, out_w, _]) = (place.image(), place.images_out());
        let mut padded = vec![0.0; place.output.len()];
        let rows = padded.chunks_mut(out_w * c).skip(self.padding.rows[0]);
        for (padded, row) in rows.zip(sample.chunks(w * c)) {
            padded[self.padding.columns[0] * c..][..w * c].copy_from_slice(row);
        }
        Some(padded)
    }

    fn applied(&self) -> Applied {
        Applied::Linear
    }

    fn penalties(&self) -> Vec<(&'static str, Regularizer)> {
        Vec::new()
    }

    fn keeps_sign(&self) -> bool {
        true
    }

    fn filters(&self) -> Option<&'static str> {
        None
    }

    fn forward(&self, place: &Place<'_>, b: &mut Builder, x: &[Tensor]) -> Result<Tensor, PlanError> {
        self.border(place, b.batch).pad(b, Stage::Forward, &x[0], 0.0)
    }

    fn backward(
        &self,
        place: &Place<'_>,
        b: &mut Builder,
        x: &[Tensor],
        dy: Tensor,
        wants: &[bool],
    ) -> Result<Vec<Option<Tensor>>, PlanError> {
        if !wants[0] {
            return Ok(vec![None]);
        }
        let border = self.border(place, b.batch);
        if !border.windows.has_border() {
            return Ok(vec![Some(dy)]);
        }
        let dx = b.input_gradient(place, 0, &x[0]);
        border.crop(b, Stage::Backward, dy, &dx)?;
        Ok(vec![Some(dx)])
    }

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        let Sides { rows, columns } = self.padding;
        let [[top, bottom], [left, right]] = [rows, columns].map(|sides| sides.map(|size| size as i64));
        let sizes = match graph.layout() {
            Layout::Last => [0, top, left, 0, 0, bottom, right, 0],
            Layout::First => [0, 0, top, left, 0, 0, bottom, right],
        };
        let sizes = graph.integers(place.step("pads"), &sizes);
        graph.node(&place.step("pad"), "Pad", vec![sizes], Vec::new());
    }
}
