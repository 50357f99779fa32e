//! Decoding the pictures of a set, some at a time on all threads, into a file or into memory.

use std::io;
use std::path::PathBuf;
use std::sync::Mutex;

use rayon::prelude::*;

use super::cache::{Begun, Place, Told};
use super::decode::decode_file;
use super::error::{PictureError, PictureFolderError};
use super::folders::File;
use super::limits::LARGE;
use super::memory::available;
use crate::data::numbers::Numbers;

/// Pixels that are decoded before they are written, in bytes, and the most pictures of that.
const AT_ONCE: usize = 16 << 20;
const MOST_AT_ONCE: usize = 2048;

/// A picture to be decoded: its file, its set, and the pixels in its header, or why that cannot be read.
pub(super) struct Task<'a> {
    pub file: &'a File,
    pub set: usize,
    pub pixels: Result<u64, Problem>,
}

/// All pixels, and what became of the files.
pub(super) struct Filled {
    pub pixels: Numbers<u8>,
    pub told: Told,
    /// Files that are left out, and why.
    pub broken: Vec<(PathBuf, String)>,
}

/// Decodes the tasks in their order to images of this shape. `place` is where they are kept; without it, or where that fails,
/// they stay in memory. `progress` is told how many of them are done.
pub(super) fn fill(
    tasks: &[Task<'_>],
    classes: usize,
    shape: [usize; 3],
    place: Option<&Place>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Filled, PictureFolderError> {
    let size: usize = shape.iter().product();
    let mut sink = Sink::new(place, tasks.len(), size)?;
    let mut told = Told::new(shape, [(); 3].map(|()| vec![0; classes]));
    let mut broken = Vec::new();
    let (large, mut done) = (Mutex::new(()), 0);
    progress(0, tasks.len());
    let mut passing = false;
    for some in tasks.chunks((AT_ONCE / size).clamp(1, MOST_AT_ONCE)) {
        let images: Vec<_> = some.par_iter().map(|task| image(task, shape, &large)).collect();
        for ((task, image), place) in some.iter().zip(images).zip(done..) {
            match image {
                Ok((pixels, stretched)) => {
                    sink.write(&pixels)?;
                    told.counts[task.set][task.file.label as usize] += 1;
                    told.stretched += usize::from(stretched);
                }
                Err(problem) => {
                    passing |= problem.may_pass;
                    told.left_out.push(place);
                    broken.push((task.file.found.path.clone(), problem.text));
                }
            }
        }
        done += some.len();
        progress(done, tasks.len());
    }
    told.broken =
        broken.iter().map(|(path, problem)| (path.display().to_string(), problem.clone())).collect();
    Ok(Filled { pixels: sink.finish(&mut told, passing)?, told, broken })
}

/// Why a picture is left out.
pub(super) struct Problem {
    text: String,
    /// Whether it is the system's, not the file's, and may be gone the next time.
    may_pass: bool,
}

impl From<&PictureError> for Problem {
    fn from(error: &PictureError) -> Self {
        let may_pass = matches!(error, PictureError::Io { .. } | PictureError::Memory { .. });
        Problem { text: error.to_string(), may_pass }
    }
}

/// An image, and whether its samples were stretched.
fn image(task: &Task<'_>, shape: [usize; 3], large: &Mutex<()>) -> Result<(Vec<u8>, bool), Problem> {
    let pixels = match &task.pixels {
        Ok(pixels) => *pixels,
        Err(Problem { text, may_pass }) => return Err(Problem { text: text.clone(), may_pass: *may_pass }),
    };
    let _alone = (pixels > LARGE).then(|| large.lock());
    let decoded = decode_file(&task.file.found.path).map_err(|error: PictureError| Problem::from(&error))?;
    Ok((decoded.pixels.view().fitted(shape), !decoded.remarks.is_empty()))
}

/// Where pixels go.
enum Sink {
    File(Begun),
    Memory(Vec<u8>),
}

impl Sink {
    fn new(place: Option<&Place>, pictures: usize, size: usize) -> Result<Self, PictureFolderError> {
        if let Some(place) = place {
            match place.begin() {
                Ok(begun) => return Ok(Sink::File(begun)),
                Err(cause) => tell(place, &cause),
            }
        }
        let bytes = (pictures as u64).saturating_mul(size as u64);
        let refused = |available| PictureFolderError::OutOfMemory { bytes, pictures, available };
        if let Some(room) = available().filter(|&room| room < bytes) {
            return Err(refused(format!("{room}")));
        }
        let mut memory = Vec::new();
        memory.try_reserve_exact(bytes as usize).map_err(|_| refused("none".to_owned()))?;
        Ok(Sink::Memory(memory))
    }

    fn write(&mut self, pixels: &[u8]) -> Result<(), PictureFolderError> {
        match self {
            Sink::Memory(memory) => memory.extend_from_slice(pixels),
            Sink::File(begun) => {
                if let Err(cause) = begun.write(pixels) {
                    tell(begun.place(), &cause);
                    let mut memory =
                        begun.read_back().map_err(|cause| PictureFolderError::Cache { cause })?;
                    memory.extend_from_slice(pixels);
                    *self = Sink::Memory(memory);
                }
            }
        }
        Ok(())
    }

    /// The pixels; with `passing` problems the file goes with the program, for the next time there may be more.
    fn finish(self, told: &mut Told, passing: bool) -> Result<Numbers<u8>, PictureFolderError> {
        let mut begun = match self {
            Sink::Memory(memory) => return Ok(memory.into()),
            Sink::File(begun) => begun,
        };
        // Nothing can be mapped of no bytes.
        if told.counts.iter().flatten().sum::<usize>() == 0 {
            return Ok(Vec::new().into());
        }
        let finished = if passing { begun.mapped() } else { begun.finish(told) };
        finished.or_else(|cause| {
            tell(begun.place(), &cause);
            Ok(begun.read_back().map_err(|cause| PictureFolderError::Cache { cause })?.into())
        })
    }
}

fn tell(place: &Place, cause: &io::Error) {
    log::warn!(
        "{}: decoded pictures cannot be kept: {cause}; they are held in memory, and decoded again the next time",
        place.path().display()
    );
}
