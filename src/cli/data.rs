//! `shadegrad data`.

use std::path::{Path, PathBuf};

use anyhow::bail;
use serde::Serialize;

use super::args::DataSource;
use super::layout::LayoutArgs;
use super::output::{Output, remark, spare_remarks};
use super::path_text::to_text;
use super::picture_data;
use super::sheet::sheet;
use super::table::{Align, render_all};
use crate::data::{Dataset, Loaded, PictureSets, PictureSizes, Shape, TargetKind};
use crate::io::destination::Destination;
use crate::model::{bytes, thousands};

/// The names of the sets, in the order of their counts.
const SETS: [&str; 3] = ["training", "validation", "test"];

/// Say what a data set holds: classes, sets, sizes, and files that cannot be read
///
/// Takes what `train --data` takes. With --sheet it also writes a picture with samples of each class, as the network
/// gets them.
#[derive(Debug, clap::Args)]
pub struct DataArgs {
    /// The data set: the embedded `mnist`; a folder with a sub-folder of pictures for each class, or with IDX, CIFAR
    /// or NumPy files or tables; or a table (docs/data.md)
    #[arg(value_name = "mnist|DIR|FILE.csv")]
    data: DataSource,
    #[command(flatten)]
    layout: LayoutArgs,
    /// Write a picture with samples of each class to this file, or to standard output with `-`
    #[arg(long, value_name = "FILE.png")]
    sheet: Option<PathBuf>,
    /// Replace the file of --sheet if it exists
    #[arg(long, requires = "sheet")]
    force: bool,
    /// Print one JSON object instead
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Description {
    /// `mnist`, or the folder.
    data: String,
    /// Of a sample.
    shape: Vec<usize>,
    target: TargetKind,
    /// Of a model: classes, or numbers of a target.
    outputs: usize,
    /// What the numbers of a target are called, where they are no classes and the files name them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    output_names: Vec<String>,
    samples: Counts,
    /// None where targets are no classes.
    classes: Vec<Class>,
    #[serde(flatten)]
    pictures: Option<Pictures>,
}

/// How many samples are in each set.
#[derive(Serialize)]
struct Counts {
    training: usize,
    validation: usize,
    test: usize,
}

impl Counts {
    /// In the order of [`SETS`].
    fn of([training, validation, test]: [usize; 3]) -> Self {
        Counts { training, validation, test }
    }
}

/// A class, and how many samples of it there are.
#[derive(Serialize)]
struct Class {
    name: String,
    #[serde(flatten)]
    samples: Counts,
}

/// What is known of pictures only.
#[derive(Serialize)]
struct Pictures {
    /// How the sets came about.
    split: String,
    sizes: Option<PictureSizes>,
    broken: Vec<Broken>,
    notes: Vec<String>,
    /// The paths of the pictures within the folder, in the order of the sets.
    files: Files,
}

/// The files of each set.
#[derive(Serialize)]
struct Files {
    training: Vec<String>,
    validation: Vec<String>,
    test: Vec<String>,
}

#[derive(Serialize)]
struct Broken {
    file: String,
    problem: String,
}

/// Reads all of it.
pub fn run(args: &DataArgs, output: &mut Output) -> anyhow::Result<()> {
    if args.json {
        spare_remarks();
    }
    let place = args.sheet.as_deref().map(|file| args.place(file)).transpose()?;
    if place.as_ref().is_some_and(Destination::is_stdout) {
        output.step_aside();
    }
    let (sets, pictures) = args.read()?;
    let [train, _, _] = &sets;
    let Some(train) = train else { bail!("the data set has no training samples") };
    let names = names(train);
    let is_classes = train.target() == TargetKind::Classes;
    if let Some(place) = &place {
        let Shape::Image(shape) = train.shape() else {
            bail!("--sheet is for images; the samples of this data set are rows of numbers")
        };
        if train.form().values {
            bail!("--sheet is for images of bytes, 0 to 255; those of this data set are f32");
        }
        if !is_classes {
            bail!("--sheet is for classes; the targets of this data set are {}", train.target());
        }
        let picture = sheet(train, shape, &names)?;
        place.write(&picture)?;
        if !args.json {
            output.line(format_args!("Wrote {place}: {}", bytes(picture.len())))?;
        }
    }
    let description = Description {
        data: args.data.to_string(),
        shape: train.shape().dims(),
        target: train.target(),
        outputs: train.classes(),
        samples: Counts::of(sets.each_ref().map(|set| set.as_ref().map_or(0, Dataset::len))),
        classes: if is_classes { classes(&sets, &names) } else { Vec::new() },
        output_names: if is_classes { Vec::new() } else { train.class_names().to_vec() },
        pictures,
    };
    match args.json {
        true => output.line(serde_json::to_string_pretty(&description)?),
        false => output.line(text(&description)),
    }
}

impl DataArgs {
    fn place(&self, file: &Path) -> anyhow::Result<Destination> {
        let place = Destination::new(file, Path::new(""), "sheet.png")?;
        place.check_free(self.force)?;
        Ok(place)
    }

    /// Training, validation and test set, and what is known of pictures.
    fn read(&self) -> anyhow::Result<([Option<Dataset>; 3], Option<Pictures>)> {
        let options = self.layout.options(&self.data, None)?;
        let Some(folder) = self.data.pictures(&options)? else {
            let Loaded { train, validation, test, .. } = self.data.load(&options)?;
            return Ok(([Some(train), validation, Some(test)], None));
        };
        let (split, notes) = (folder.split().to_owned(), folder.notes().to_vec());
        let told = picture_data::Told::of(&folder);
        // What cannot be read is listed below.
        let sets = picture_data::decode(folder)?;
        remark(told.text(&sets));
        let sizes = sets.sizes();
        let PictureSets { train, validation, test, broken, .. } = sets;
        let names = |set: &Dataset| {
            set.sample_names().map(|names| names.map(str::to_owned).collect()).unwrap_or_default()
        };
        let files = Files {
            training: names(&train),
            validation: validation.as_ref().map(names).unwrap_or_default(),
            test: names(&test),
        };
        let broken =
            broken.into_iter().map(|(path, problem)| Broken { file: to_text(&path), problem }).collect();
        Ok(([Some(train), validation, Some(test)], Some(Pictures { split, sizes, broken, notes, files })))
    }
}

/// The names of the classes, or their numbers.
fn names(data: &Dataset) -> Vec<String> {
    match data.class_names() {
        [] => (0..data.classes()).map(|class| class.to_string()).collect(),
        names => names.to_vec(),
    }
}

fn classes(sets: &[Option<Dataset>; 3], names: &[String]) -> Vec<Class> {
    let counts = sets.each_ref().map(|set| {
        let mut counts = vec![0; names.len()];
        for &label in set.iter().flat_map(|set| set.labels()) {
            counts[label as usize] += 1;
        }
        counts
    });
    let class = |(at, name): (usize, &String)| Class {
        name: name.clone(),
        samples: Counts::of(counts.each_ref().map(|counts| counts[at])),
    };
    names.iter().enumerate().map(class).collect()
}

/// A line for each class, and what else there is to say.
fn text(found: &Description) -> String {
    let cells = |name: &str, &Counts { training, validation, test }: &Counts| {
        let numbers = [training, validation, test, training + validation + test].map(thousands);
        [name.to_owned()].into_iter().chain(numbers).collect::<Vec<String>>()
    };
    let mut rows: Vec<Vec<String>> =
        found.classes.iter().map(|class| cells(&class.name, &class.samples)).collect();
    rows.push(cells("all", &found.samples));
    let right = SETS.iter().chain(&["all"]).map(|set| (*set, Align::Right));
    let first = if found.target == TargetKind::Classes { "class" } else { "" };
    let headings: Vec<_> = [(first, Align::Left)].into_iter().chain(right).collect();
    let mut lines = vec![render_all(&headings, &rows), String::new()];
    lines.push(match found.shape[..] {
        [h, w, 1] => format!("Samples: images of {h}x{w}, grey"),
        [h, w, 3] => format!("Samples: images of {h}x{w}, coloured"),
        _ => format!("Samples: of shape {:?}", found.shape),
    });
    if found.target != TargetKind::Classes {
        let of_each = format!("Targets: {}, {} of each sample", found.target, found.outputs);
        lines.push(match &found.output_names[..] {
            [] => of_each,
            names => format!("{of_each}: {}", names.join(", ")),
        });
    }
    lines.extend(found.pictures.iter().flat_map(of_pictures));
    lines.join("\n")
}

fn of_pictures(pictures: &Pictures) -> Vec<String> {
    let mut lines = vec![format!("Sets: {}", pictures.split)];
    if let Some(PictureSizes { smallest, median, largest, formats }) = &pictures.sizes {
        let size = |[height, width]: &[usize; 2]| format!("{height}x{width}");
        lines.push(format!(
            "Files: {} to {}, median {} (height x width)",
            size(smallest),
            size(largest),
            size(median)
        ));
        let formats: Vec<String> =
            formats.iter().map(|(format, &count)| format!("{} {format}", thousands(count))).collect();
        lines.push(format!("Formats: {}", formats.join(", ")));
    }
    if !pictures.broken.is_empty() {
        lines.push(format!("Left out: {}", thousands(pictures.broken.len())));
        lines.extend(pictures.broken.iter().map(|broken| format!("  {} {}", broken.file, broken.problem)));
    }
    lines
}
