//! `shadegrad predict`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};

use super::device_args::DeviceArg;
use super::messages::message;
use super::output::{Output, note};
use super::pictures::{Found, Source};
use super::predict_rows::{RowJudge, is_array};
use super::predicted::Predicted;
use crate::data::{DataError, transpose};
use crate::device::Device;
use crate::io::destination::Destination;
use crate::io::png::png;
use crate::io::{SavedRun, read_recorded};
use crate::train::Model;

/// Pictures that are predicted at once.
const AT_ONCE: usize = 64;
/// From black to white; each pixel is two characters wide, which makes it about square.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];
/// Of wider images every second pixel is printed, or every third and so on, until a line fits so many.
const MOST_COLUMNS: usize = 40;
/// `--show=FILE`: the most pixels of the file per pixel of an image, those of the longer side of an image unless it has more itself, those
/// between two images, images in a row, and in the file.
const ZOOM: usize = 8;
const SIDE: usize = 256;
const MOST_SHOWN: usize = 256;
const GAP: usize = 8;
const IN_A_ROW: usize = 8;

/// Predict what pictures show, or what rows of numbers stand for, with the model of a run folder
///
/// Takes PNG, JPEG, WebP and BMP files of any size, folders of them, and `-` for standard input. If the model was
/// trained on a folder of pictures, a picture is scaled and cropped as those were. Other models of colour images get
/// pictures that are only resized. For other models of grey images a picture is made to look like MNIST: grey, bright
/// on black (a light background is inverted), without frames, lines and specks, cropped to the drawing, scaled and
/// centred. A warning says where this is uncertain.
///
/// For a model of rows of numbers it takes tables (CSV), also from standard input, and prints a line for each row.
/// Columns are found by their names if both the table and the run have names; other columns are ignored, and the
/// target may be missing. For any model it takes NumPy arrays (`.npy`) of samples.
///
/// If a file cannot be read, the others are still predicted, and the exit code is 1.
#[derive(Debug, clap::Args)]
pub struct PredictArgs {
    /// The run folder, such as runs/tutorial-1
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Pictures, folders of pictures, tables, arrays (.npy), or `-` for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Also take the pictures in sub-folders. If folders have the names of the model's classes, the last line says how
    /// many of the pictures in them are predicted correctly
    #[arg(long)]
    recursive: bool,
    #[command(flatten)]
    device: DeviceArg,
    /// Only resize pictures, for models of anything other than drawings on an even background
    #[arg(long)]
    plain: bool,
    /// Swap rows and columns of the image that the network gets, for models that were trained on images stored that
    /// way, such as those of EMNIST with `--transpose=false`
    #[arg(long)]
    transpose: bool,
    /// Print the images that the network gets; with =FILE.png write them to a new file instead, or with =- to standard
    /// output, and the predictions to standard error
    #[arg(long, value_name = "FILE.png", num_args = 0..=1, require_equals = true)]
    show: Option<Option<PathBuf>>,
    /// Print one line of JSON for each picture or row
    #[arg(long)]
    json: bool,
}

/// The exit code is 1 when a file could not be read.
pub fn run(args: &PredictArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let saved = SavedRun::read(&args.run)?;
    let shape = saved.network.input_shape.image();
    match shape {
        Some(shape) => args.check_shown(shape)?,
        None => args.check_rows()?,
    }
    let shown = match &args.show {
        Some(Some(file)) => Some(show_file(file, &args.run, output)?),
        _ => None,
    };
    let (device, _) = Device::open(&args.device.device)?;
    let recorded = read_recorded(&args.run).unwrap_or_else(|error| {
        note(format_args!("warning: {error}"));
        None
    });
    let model = saved.compile(&device)?;
    let load_options = recorded.map(|recorded| recorded.load_options).unwrap_or_default();
    let mut judge = Judge {
        args,
        shape: shape.unwrap_or_default(),
        model,
        of_pictures: load_options.size.is_some(),
        saved: &saved,
        failed: false,
        seen: Vec::new(),
        unseen: 0,
        known: Known::default(),
    };
    let rows = RowJudge { saved: &saved, targets: &load_options.target, json: args.json };
    for argument in &args.files {
        if shape.is_none() || is_array(argument) {
            judge.failed |= !rows.file(argument, &mut judge.model, output)?;
            continue;
        }
        match Source::all(argument, args.recursive) {
            Ok(folder) => {
                for some in folder.sources.chunks(AT_ONCE) {
                    judge.sources(argument, some, output)?;
                }
                if let Some(passed_over) = folder.passed_over {
                    note(format_args!("note: {passed_over}"));
                }
            }
            Err(error) => judge.fail(&argument.display().to_string(), &error, output)?,
        }
    }
    if let Some(file) = &shown {
        judge.write_seen(file)?;
    }
    if args.recursive {
        judge.known.print(args.json, output)?;
        if judge.of_pictures && judge.known.pictures > 0 && !args.json {
            note(
                "note: pictures that the model was trained on may be among these; `shadegrad evaluate RUN` takes those of its test set alone",
            );
        }
    }
    Ok(if judge.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// How many pictures are in folders of classes, and how many of those are predicted right.
#[derive(Debug, Default)]
struct Known {
    pictures: usize,
    right: usize,
}

impl Known {
    fn print(&self, json: bool, output: &mut Output) -> anyhow::Result<()> {
        let Known { pictures, right } = *self;
        let accuracy = right as f64 / pictures as f64;
        match (pictures, json) {
            (0, false) => Ok(()),
            (0, true) => output.line(json!({ "accuracy": null, "right": 0, "pictures": 0 })),
            (_, true) => output.line(json!({ "accuracy": accuracy, "right": right, "pictures": pictures })),
            (_, false) => output.line(format_args!(
                "Accuracy: {accuracy:.4} ({right} of {pictures} pictures in folders of the model's classes)"
            )),
        }
    }
}

/// The file of `--show=FILE`. If it goes to standard output, nothing else does.
fn show_file(file: &Path, run: &Path, output: &mut Output) -> anyhow::Result<Destination> {
    let shown = Destination::new(file, run, "seen.png")?;
    if shown.is_occupied() {
        bail!("`{shown}` already exists; give --show= another name");
    }
    if shown.is_stdout() {
        output.step_aside();
    }
    Ok(shown)
}

impl PredictArgs {
    /// Refuses what is for pictures only.
    fn check_rows(&self) -> anyhow::Result<()> {
        let of_pictures = [
            ("--show", self.show.is_some()),
            ("--plain", self.plain),
            ("--transpose", self.transpose),
            ("--recursive", self.recursive),
        ];
        match of_pictures.iter().find(|(_, given)| *given) {
            Some((flag, _)) => bail!(
                "{flag} is for pictures, but `{}` is a model of rows of numbers; leave it out",
                self.run.display()
            ),
            None => Ok(()),
        }
    }

    /// Refuses to write images that a picture file cannot hold.
    fn check_shown(&self, [_, _, channels]: [usize; 3]) -> anyhow::Result<()> {
        match self.show {
            Some(Some(_)) if channels != 1 && channels != 3 => bail!(
                "--show=FILE writes images of 1 or 3 channels, but those of this model have {channels}; leave it out"
            ),
            _ => Ok(()),
        }
    }
}

struct Judge<'a> {
    args: &'a PredictArgs,
    /// Height, width and channels of what the network sees; zeros for rows of numbers, which are none of its business.
    shape: [usize; 3],
    saved: &'a SavedRun,
    model: Model,
    /// Whether it was trained on a folder of pictures.
    of_pictures: bool,
    failed: bool,
    known: Known,
    /// What the network saw, for `--show=FILE`, and how many images more.
    seen: Vec<Vec<u8>>,
    unseen: usize,
}

/// What the network sees of a picture.
struct Seen {
    image: Vec<u8>,
    /// Why it is uncertain.
    warnings: Vec<String>,
}

impl Judge<'_> {
    /// The pictures that an argument names.
    fn sources(&mut self, argument: &Path, sources: &[Source], output: &mut Output) -> anyhow::Result<()> {
        let mut images = Vec::new();
        let mut named = Vec::new();
        for source in sources {
            match source.read().and_then(|found| self.prepare(found).with_context(|| source.to_string())) {
                Ok(seen) => {
                    images.extend_from_slice(&seen.image);
                    named.push((source, seen));
                }
                Err(error) => self.fail(&source.name(), &error, output)?,
            }
        }
        let probabilities = self.model.predict(&images)?;
        let classes = self.saved.network.classes();
        for ((source, seen), row) in named.into_iter().zip(probabilities.chunks_exact(classes)) {
            for warning in &seen.warnings {
                note(format_args!("warning: {source}: {warning}"));
            }
            let predicted = Predicted { run: self.saved, row };
            let class = if self.args.recursive { self.class_of(argument, source) } else { None };
            if let Some(class) = class {
                self.known.pictures += 1;
                self.known.right += usize::from(predicted.class() == class);
            }
            output.line(if self.args.json {
                let mut line = Map::from_iter([("image".to_owned(), json!(source.recorded()))]);
                line.extend(predicted.json());
                if let Some(class) = class {
                    line.insert("folder_label".to_owned(), json!(class));
                }
                line.insert("warnings".to_owned(), json!(seen.warnings));
                Value::Object(line).to_string()
            } else {
                format!("{source}: {}", predicted.text())
            })?;
            match &self.args.show {
                None => {}
                Some(None) => output.line(self.drawing(&seen.image))?,
                Some(Some(_)) if self.seen.len() < MOST_SHOWN => self.seen.push(seen.image),
                Some(Some(_)) => self.unseen += 1,
            }
        }
        Ok(())
    }

    /// The class that the folders of a picture say, the innermost that is called like one; those above the argument say nothing.
    fn class_of(&self, argument: &Path, source: &Source) -> Option<usize> {
        let Source::File(path) = source else { return None };
        let within = path.parent()?.strip_prefix(argument).ok()?;
        let folders = within.components().rev().map(|folder| folder.as_os_str()).chain(argument.file_name());
        let classes = 0..self.saved.network.classes();
        folders
            .into_iter()
            .find_map(|folder| classes.clone().find(|&class| *folder == *self.saved.class_name(class)))
    }

    fn prepare(&self, found: Found) -> Result<Seen, DataError> {
        let shape = self.shape;
        if self.args.transpose {
            let upright = [shape[1], shape[0], shape[2]];
            let mut seen = self.upright(found, upright)?;
            transpose(&mut seen.image, upright);
            return Ok(seen);
        }
        self.upright(found, shape)
    }

    fn upright(&self, found: Found, shape: [usize; 3]) -> Result<Seen, DataError> {
        let Found { picture, remarks: mut warnings } = found;
        if self.of_pictures && !self.args.plain {
            return Ok(Seen { image: picture.fitted(shape)?, warnings });
        }
        if self.args.plain || shape[2] != 1 {
            return Ok(Seen { image: picture.resized(shape)?, warnings });
        }
        let drawing = picture.drawing(shape)?;
        warnings.extend(drawing.doubts.iter().map(ToString::to_string));
        Ok(Seen { image: drawing.image, warnings })
    }

    fn fail(&mut self, source: &str, error: &anyhow::Error, output: &mut Output) -> anyhow::Result<()> {
        self.failed = true;
        let mut text = message(error);
        if self.args.show == Some(None) && source.ends_with(".png") && !Path::new(source).exists() {
            text = format!("{text}; to write what the network sees, use --show={source}");
        }
        if self.args.json {
            output.line(json!({ "image": source, "error": text }))?;
        }
        note(format_args!("error: {text}"));
        Ok(())
    }

    /// The image as text; of colours, their mean.
    fn drawing(&self, image: &[u8]) -> String {
        let [_, w, c] = self.shape;
        let shade = |pixel: &[u8]| {
            let mean = pixel.iter().map(|&value| usize::from(value)).sum::<usize>() / c;
            SHADES[(mean * (SHADES.len() - 1)).div_ceil(255)]
        };
        let step = w.div_ceil(MOST_COLUMNS);
        let line = |row: &[u8]| {
            let text: String =
                row.chunks_exact(c).step_by(step).flat_map(|pixel| [shade(pixel); 2]).collect();
            format!("|{text}|")
        };
        image.chunks_exact(w * c).step_by(step).map(line).collect::<Vec<_>>().join("\n")
    }

    /// All images as one picture, enlarged, in rows from left to right.
    fn write_seen(&self, file: &Destination) -> anyhow::Result<()> {
        let [h, w, c] = self.shape;
        if self.seen.is_empty() {
            return Ok(());
        }
        let columns = self.seen.len().min(IN_A_ROW);
        let rows = self.seen.len().div_ceil(columns);
        if self.unseen > 0 {
            note(format_args!(
                "note: {file} has the first {MOST_SHOWN} images, {} more are not in it",
                self.unseen
            ));
        }
        let zoom = (SIDE / h.max(w)).clamp(1, ZOOM);
        let side = |images: usize, pixels: usize| images * (pixels * zoom + GAP) + GAP;
        let (height, width) = (side(rows, h), side(columns, w));
        // Images are separated by a grey that is neither background nor stroke.
        let mut pixels = vec![96; height * width * c];
        for (at, image) in self.seen.iter().enumerate() {
            let (top, left) = (side(at / columns, h), side(at % columns, w));
            for y in 0..h * zoom {
                for x in 0..w * zoom {
                    let (from, to) = ((y / zoom) * w + x / zoom, (top + y) * width + left + x);
                    pixels[to * c..(to + 1) * c].copy_from_slice(&image[from * c..(from + 1) * c]);
                }
            }
        }
        Ok(file.write(&png(height, width, &pixels)?)?)
    }
}
