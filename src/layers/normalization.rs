use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::{Normalize, NormalizeShape};
use crate::optimizers::Regularizer;

/// Normalizes values by the mean and the variance of the data: `y = (x - mean) / max(sqrt(variance), 1e-7)`.
///
/// There is one mean and one variance for each index of the axes that `axis` names, over all samples and all other axes. Both are
/// given, or they are weights that no gradient changes: mean zeros, variance ones, of the dimensions of these axes, until the layer
/// adapts to data. `Model::fit` adapts a layer that did not yet to its training samples, as they are before
/// augmentation, and `Model::adapt` adapts it to others. The variance is the biased one, `1/n`. To adapt, a layer
/// must get the model's input, or what a Rescaling, a ZeroPadding2D or a layer that moves no value makes of it.
///
/// At the beginning of a model it gets bytes as they are, 0 to 255. A value that never varied in the data is divided
/// by 1e-7 if it varies later. Source: `keras/src/layers/preprocessing/normalization.py`; `count` is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Normalization {
    /// Name in weight files and messages; by default `normalization`, `normalization_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Axes with a mean and a variance for each of their indices, `-1` or several such as `[1, 3]`, counted as in
    /// Keras, where axis 0 is that of the samples. With `[]`, Keras's `None`, one mean and variance are for
    /// everything. Default -1, the channels or features.
    #[serde(default)]
    pub axis: Axes,
    /// The mean: a number, a list with one for each index of the last axis, or nested lists for several axes; by
    /// default that of the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<Nested>,
    /// The variance, in the form of `mean`; give both or neither; by default that of the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variance: Option<Nested>,
    /// Whether the layer does the inverse, `y = mean + x * max(sqrt(variance), 1e-7)`; default false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub invert: bool,
}

/// The most numbers of a mean that a model file gives, by itself or by stretching one.
const MOST_GIVEN: usize = 1 << 24;

/// Axes of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "AxesForm", into = "Vec<i64>")]
pub struct Axes(pub Vec<i64>);

/// How axes may be written in a model file.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "axis is a number such as -1, or a list of them such as [1, 3], which may be empty"
)]
enum AxesForm {
    One(i64),
    Several(Vec<i64>),
}

impl From<AxesForm> for Axes {
    fn from(form: AxesForm) -> Self {
        match form {
            AxesForm::One(axis) => axis.into(),
            AxesForm::Several(axes) => Axes(axes),
        }
    }
}

impl From<i64> for Axes {
    fn from(axis: i64) -> Self {
        Axes(vec![axis])
    }
}

impl<const N: usize> From<[i64; N]> for Axes {
    fn from(axes: [i64; N]) -> Self {
        Axes(axes.to_vec())
    }
}

impl From<Axes> for Vec<i64> {
    fn from(axes: Axes) -> Self {
        axes.0
    }
}

impl Default for Axes {
    fn default() -> Self {
        (-1).into()
    }
}

/// A number, or a list of such.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "mean and variance are a number, or lists of numbers")]
pub enum Nested {
    /// A number.
    Number(f64),
    /// Any of them.
    List(Vec<Nested>),
}

impl From<f64> for Nested {
    fn from(number: f64) -> Self {
        Nested::Number(number)
    }
}

impl<T: Into<Nested>> From<Vec<T>> for Nested {
    fn from(list: Vec<T>) -> Self {
        Nested::List(list.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Nested>, const N: usize> From<[T; N]> for Nested {
    fn from(list: [T; N]) -> Self {
        Nested::List(list.into_iter().map(Into::into).collect())
    }
}

impl Nested {
    /// Its dimensions; `None` where lists beside one another differ in theirs.
    fn dims(&self) -> Option<Vec<usize>> {
        let Nested::List(list) = self else { return Some(Vec::new()) };
        let mut inner = list.iter().map(Nested::dims);
        let first = inner.next().unwrap_or(Some(Vec::new()))?;
        inner.all(|dims| dims.as_ref() == Some(&first)).then(|| [vec![list.len()], first].concat())
    }

    /// Its numbers in row-major order.
    fn numbers(&self) -> Vec<f64> {
        match self {
            Nested::Number(number) => vec![*number],
            Nested::List(list) => list.iter().flat_map(Nested::numbers).collect(),
        }
    }

    /// Its numbers in these dimensions, to which it is stretched from the last one on.
    fn broadcast(&self, what: &str, to: &[usize]) -> Result<Vec<f32>, String> {
        let fails = |why: String| format!("{what} {why}");
        let dims = self.dims().ok_or_else(|| fails("holds lists of different lengths".to_owned()))?;
        let numbers = self.numbers();
        if let Some(wrong) = numbers.iter().find(|number| !(**number as f32).is_finite()) {
            return Err(fails(format!("holds {wrong}, but must hold numbers that f32 can hold")));
        }
        let fits = dims.len() <= to.len()
            && dims.iter().rev().zip(to.iter().rev()).all(|(&have, &want)| have == 1 || have == want);
        if !fits {
            return Err(fails(format!(
                "has shape {dims:?}, which cannot be broadcast to {to:?}, the shape of the axes"
            )));
        }
        let place = |mut at: usize| {
            let (mut place, mut stride) = (0, 1);
            for (&want, have) in
                to.iter().rev().zip(dims.iter().rev().map(Some).chain(std::iter::repeat(None)))
            {
                if let Some(&have) = have.filter(|&&have| have > 1) {
                    place += at % want * stride;
                    stride *= have;
                }
                at /= want;
            }
            place
        };
        Ok((0..to.iter().product()).map(|at| numbers[place(at)] as f32).collect())
    }
}

impl Normalization {
    /// Of the last axis, with the mean and variance of the data.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the axes that have a mean for each of their indices.
    pub fn axis(mut self, axis: impl Into<Axes>) -> Self {
        self.axis = axis.into();
        self
    }

    /// Gives mean and variance, which are those of the data otherwise.
    pub fn mean_and_variance(mut self, mean: impl Into<Nested>, variance: impl Into<Nested>) -> Self {
        (self.mean, self.variance) = (Some(mean.into()), Some(variance.into()));
        self
    }

    /// Sets whether it goes the other way.
    pub fn invert(mut self, invert: bool) -> Self {
        self.invert = invert;
        self
    }

    /// Which axes of a sample of so many dimensions are kept.
    fn kept(&self, rank: usize) -> Result<Vec<bool>, String> {
        let mut kept = vec![false; rank];
        let most = rank as i64;
        for &axis in &self.axis.0 {
            let at = if axis < 0 { axis + most } else { axis - 1 };
            let place = usize::try_from(at).ok().and_then(|at| kept.get_mut(at)).ok_or_else(|| {
                format!("axis {axis} is not an axis of a sample; it must be from 1 to {most}, or from -{most} to -1")
            })?;
            if std::mem::replace(place, true) {
                return Err(format!("axis names axis {} twice", at + 1));
            }
        }
        Ok(kept)
    }

    /// The sizes; shape inference lets only axes reach it that are there.
    fn shape(&self, samples: usize, input: Shape) -> NormalizeShape {
        let dims = input.dims();
        let kept = self.kept(dims.len()).unwrap_or_default();
        let mut shape = NormalizeShape { samples, dims: [1; 3], kept: [false; 3] };
        for ((size, keeps), (dim, kept)) in
            shape.dims.iter_mut().zip(&mut shape.kept).rev().zip(dims.into_iter().zip(kept).rev())
        {
            (*size, *keeps) = (dim, kept);
        }
        shape
    }

    /// mean and variance as they are given, in these dimensions.
    fn given(&self, dims: &[usize]) -> Result<Option<[Vec<f32>; 2]>, String> {
        let (Some(mean), Some(variance)) = (&self.mean, &self.variance) else {
            return match self.mean.is_some() || self.variance.is_some() {
                false => Ok(None),
                true => Err("only one of mean and variance is given; give both or neither".to_owned()),
            };
        };
        let numbers: usize = dims.iter().product();
        if numbers > MOST_GIVEN {
            return Err(format!(
                "axis keeps {numbers} numbers, but mean and variance may give at most {MOST_GIVEN}"
            ));
        }
        if mean.dims() != variance.dims() {
            return Err("mean and variance must have the same shape".to_owned());
        }
        let given = [mean.broadcast("mean", dims)?, variance.broadcast("variance", dims)?];
        match given[1].iter().find(|variance| **variance < 0.0) {
            Some(wrong) => Err(format!("variance holds {wrong}, but must not be negative")),
            None => Ok(Some(given)),
        }
    }

    /// A weight as a row.
    fn row(place: &Place<'_>, b: &Builder, what: &str) -> Tensor {
        let weight = b.weight(place, what);
        Tensor { shape: vec![weight.len()], ..weight }
    }
}

named!(Normalization);

impl LayerKind for Normalization {
    const CLASS: &'static str = "Normalization";
    const STEM: &'static str = "normalization";
    const SETTINGS: &'static [&'static str] = &["axis", "mean", "variance", "invert"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        let output = single(inputs)?;
        let dims = output.dims();
        let kept = dims.iter().zip(self.kept(dims.len())?).filter(|(_, kept)| *kept);
        let dims: Vec<usize> = kept.map(|(&size, _)| size).collect();
        let [mean, variance] = match self.given(&dims)? {
            Some(given) => given.map(Some),
            None => [None, None],
        };
        let weight =
            |what, start, given| WeightSpec { given, ..WeightSpec::fixed(what, dims.clone(), start) };
        let weights =
            vec![weight("mean", Initializer::Zeros, mean), weight("variance", Initializer::Ones, variance)];
        Ok(Inferred { output, weights })
    }

    fn takes_bytes(&self) -> bool {
        true
    }

    fn adapts(&self) -> bool {
        self.mean.is_none()
    }

    fn adapt(
        &self,
        place: &Place<'_>,
        samples: &Samples<'_>,
    ) -> Result<Vec<(&'static str, Vec<f32>)>, String> {
        let shape = self.shape(1, place.output);
        let cells: Vec<usize> = (0..shape.sample_len()).map(|at| shape.cell(at)).collect();
        let mut count = 0.0;
        let mut sums = vec![0.0; shape.cells()];
        samples(&mut |sample| {
            count += 1.0;
            sample.iter().zip(&cells).for_each(|(&x, &cell)| sums[cell] += f64::from(x));
        });
        // As many values of each sample go into each mean.
        let n = count * (cells.len() / sums.len().max(1)) as f64;
        let means: Vec<f64> = sums.iter().map(|sum| sum / n).collect();
        let mut squares = vec![0.0; means.len()];
        samples(&mut |sample| {
            for (&x, &cell) in sample.iter().zip(&cells) {
                squares[cell] += (f64::from(x) - means[cell]).powi(2);
            }
        });
        let variances = squares.iter().map(|sum| (sum / n) as f32).collect::<Vec<_>>();
        if let Some(at) = variances.iter().position(|variance| !variance.is_finite()) {
            return Err(format!(
                "the variance of its input is {:e} at {at}, which f32 does not hold; make values smaller, with a Rescaling",
                squares[at] / n
            ));
        }
        let means = means.iter().map(|&mean| mean as f32).collect();
        Ok(vec![("mean", means), ("variance", variances)])
    }

    fn applied(&self) -> Applied {
        Applied::Linear
    }

    fn penalties(&self) -> Vec<(&'static str, Regularizer)> {
        Vec::new()
    }

    fn keeps_sign(&self) -> bool {
        false
    }

    fn filters(&self) -> Option<&'static str> {
        None
    }

    fn forward(&self, place: &Place<'_>, b: &mut Builder, x: &[Tensor]) -> Result<Tensor, PlanError> {
        let y = b.output(place);
        let op = Normalize { shape: self.shape(b.batch, place.output), invert: self.invert };
        let [mean, variance] = ["mean", "variance"].map(|what| Self::row(place, b, what));
        b.step(Stage::Forward, place.step("forward"), op, vec![x[0].clone(), mean, variance, y.clone()])?;
        Ok(y)
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
        // The gradient of either way is that way with a mean of 0.
        let op = Normalize { shape: self.shape(b.batch, place.output), invert: self.invert };
        let (zeros, variance) = (b.zeros(op.shape.cells()), Self::row(place, b, "variance"));
        let dx = b.input_gradient(place, 0, &x[0]);
        b.step(Stage::Backward, place.step("backward"), op, vec![dy, zeros, variance, dx.clone()])?;
        Ok(vec![Some(dx)])
    }

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        if matches!(place.output, Shape::Image(_)) {
            graph.turn(Layout::Last, place.name);
        }
        let shape = self.shape(1, place.output);
        let rank = place.output.dims().len();
        let one_or_all = |axis: usize| if shape.kept[axis] { shape.dims[axis] } else { 1 };
        let dims = || (3 - rank..3).map(one_or_all).collect::<Vec<_>>();
        let mean = graph.turned_weight(place, "mean", |mean| (dims(), mean.values.clone()));
        let least = Normalize::EPSILON;
        let deviation = graph.turned_weight(place, "variance", |variance| {
            (dims(), variance.values.iter().map(|value| value.sqrt().max(least)).collect())
        });
        let [mean, deviation] = [mean, deviation].map(|name| name.into_iter().collect());
        let nodes = match self.invert {
            false => [("subtract", "Sub", mean), ("divide", "Div", deviation)],
            true => [("multiply", "Mul", deviation), ("add", "Add", mean)],
        };
        for (what, operator, with) in nodes {
            graph.node(&place.step(what), operator, with, Vec::new());
        }
    }
}
