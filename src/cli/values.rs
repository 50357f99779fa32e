//! `explain --values`: the numbers of one step, as the shader and as its twin make them.

use anyhow::ensure;

use super::bench::data;
use super::table::{Align, render_all};
use super::trace::{SEED, rows};
use crate::data::TargetKind;
use crate::data::batches::epoch_order;
use crate::gpu::Gpu;
use crate::io::ModelFile;
use crate::model::thousands;
use crate::ops::DATA;
use crate::plan::{Access, Plan};
use crate::verify::{After, FollowedArgument, FollowedElement, TraceInput, follow};

/// Numbers of a tensor that are shown.
const SHOWN: usize = 8;

/// Trains the first batch up to a step, and tells its numbers for a sample of the batch.
pub fn text(file: &ModelFile, plan: &Plan, gpu: &Gpu, place: usize, sample: usize) -> anyhow::Result<String> {
    let network = &plan.network;
    let data = data(network, plan.batch)?;
    let order = epoch_order(data.len(), 0, Some(SEED));
    let transforms = file.transforms(SEED, &order);
    let rows = rows(file, data.len(), plan.batch, 1);
    // Fewer than the plan has room for, where there are not as many.
    let there = rows.first().map_or(0, |row| row.batch_size as usize);
    ensure!(
        sample < there,
        "--sample is {sample}, but the batch has {there} samples, counted from 0; a larger --batch-size gives more, \
         up to {}",
        data.len()
    );
    let weights = network.initial_weights(SEED);
    let input =
        TraceInput { weights: &weights, data: &data, order: &order, rows: &rows, transforms: &transforms };
    let step = &plan.steps[place];
    let followed = follow(gpu, plan, &input, place, sample)?;
    let Some(followed) = followed else {
        anyhow::bail!(
            "`{}` runs only in evaluation, but --values shows a training step; name another step",
            step.name
        );
    };
    let number = order[sample] as usize;
    let label = match network.target {
        TargetKind::Classes => format!(", of class {}", data.labels()[number]),
        _ => String::new(),
    };
    let mut text = format!(
        "{} ({}, {}) in the first training step, on {}\nSample {sample} of the batch is number {number} of the data set{label}\n",
        followed.name,
        followed.kind,
        followed.variant,
        gpu.name()
    );
    for argument in &followed.arguments {
        text += "\n";
        text += &told(argument);
    }
    Ok(text)
}

/// An argument: its form, the range of its numbers, and some of them.
fn told(argument: &FollowedArgument) -> String {
    let used = match argument.access {
        Access::In => "read",
        Access::Out => "written",
        Access::InOut => "read and written",
    };
    let elements = &argument.elements;
    let shape: Vec<String> = argument
        .shape
        .iter()
        .map(|&dim| if dim == DATA { "_".to_owned() } else { dim.to_string() })
        .collect();
    let mut text = format!("{} [{}], {used}", argument.name, shape.join(", "));
    let Some(first) = elements.first() else { return text + ": bytes of the data set\n" };
    let range = |of: &dyn Fn(&FollowedElement) -> f64| {
        let numbers = elements.iter().map(of);
        numbers.fold((of(first), of(first)), |(least, most), number| (least.min(number), most.max(number)))
    };
    let (least, most) = range(&last);
    let whose = if argument.of_sample { " of the sample" } else { "" };
    text += &match elements.len() {
        1 => format!(": 1 number{whose}\n"),
        count => {
            format!(": {} numbers{whose}, from {} to {}\n", thousands(count), figure(least), figure(most))
        }
    };
    let mut largest: Vec<usize> = (0..elements.len()).collect();
    largest.sort_by(|&a, &b| last(&elements[b]).abs().total_cmp(&last(&elements[a]).abs()));
    largest.truncate(SHOWN);
    largest.sort_unstable();
    text + &table(argument, &largest) + "\n"
}

/// The number after the step, or the one that it only reads.
fn last(element: &FollowedElement) -> f64 {
    element.after.map(|after| after.shader).or(element.before).unwrap_or(0.0)
}

fn table(argument: &FollowedArgument, places: &[usize]) -> String {
    let is_written = argument.access != Access::In;
    let mut headings = vec![("Element", Align::Left)];
    if argument.access != Access::Out {
        headings.push((if is_written { "Before" } else { "Value" }, Align::Right));
    }
    if is_written {
        headings.extend(["Shader", "Twin", "Difference", "Allowed"].map(|heading| (heading, Align::Right)));
    }
    let row = |&at: &usize| {
        let element = &argument.elements[at];
        let mut cells = vec![format!("{}{:?}", argument.name, element.indices)];
        cells.extend(element.before.map(figure));
        if let Some(After { shader, twin, allowed }) = element.after {
            let difference = (shader - twin).abs();
            cells.extend([figure(shader), figure(twin), small(difference), small(allowed)]);
        }
        cells
    };
    render_all(&headings, &places.iter().map(row).collect::<Vec<_>>())
}

/// Nine digits, which tell one f32 from the next; whole numbers as such.
fn figure(number: f64) -> String {
    let size = number.abs();
    if number == number.trunc() && size < 1e9 {
        format!("{number}")
    } else if (1e-4..1e6).contains(&size) {
        let decimals = 8 - size.log10().floor() as i32;
        format!("{number:.*}", decimals.max(0) as usize)
    } else {
        format!("{number:.8e}")
    }
}

fn small(number: f64) -> String {
    if number == 0.0 { "0".to_owned() } else { format!("{number:.1e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_nine_digits() {
        let rows = [
            (0.0, "0"),
            (-3.0, "-3"),
            (0.125, "0.125000000"),
            (-12.5, "-12.5000000"),
            (0.000_123_456_789, "0.000123456789"),
            (1.25e-5, "1.25000000e-5"),
            (1e12, "1.00000000e12"),
            (f64::NAN, "NaN"),
        ];
        for (number, expected) in rows {
            assert_eq!(figure(number), expected);
        }
    }
}
