//! A folder of pictures, from what its files say to data sets.

use std::path::{Path, PathBuf};

use super::cache::{Naming, Place, Told};
use super::fill::{Filled, Problem, Task, fill};
use super::folders::{File, list};
use super::parts::{parts, too_small};
use super::sets::{PictureSets, Read, check_classes, check_sets, sets, sets_anew};
use super::survey::{Survey, check_asked};
use crate::data::error::DataError;
use crate::data::folder::LoadOptions;
use crate::data::numbers::Numbers;

/// How a folder of pictures is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PictureOptions {
    /// Height and width of the images. `None`: those of the pictures where all have the same, of at most 128; else a square of
    /// the median of their shorter sides, rounded down to a multiple of 32, from 32 to 128.
    pub size: Option<[usize; 2]>,
    /// 1 for grey, 3 for colours. `None`: 1 where all pictures are grey, else 3.
    pub channels: Option<usize>,
    /// What decides which pictures are for validation and for the test, where no folders do; default 0.
    pub split_seed: u64,
    /// A folder in which decoded pictures are kept: they are mapped from there, need not fit into memory, and need not be decoded
    /// the next time. It may grow: of each folder of pictures the last three forms are kept. `None`: they are decoded into memory.
    pub cache: Option<PathBuf>,
}

impl From<&LoadOptions> for PictureOptions {
    /// Without a cache.
    fn from(options: &LoadOptions) -> Self {
        let LoadOptions { size, channels, split_seed, .. } = *options;
        PictureOptions { size, channels, split_seed: split_seed.into(), cache: None }
    }
}

/// A folder of pictures, before they are decoded: its classes, its sets and the shape of its images.
#[derive(Debug)]
pub struct PictureFolder {
    /// As it was given, and the folder within it that holds those of the classes or sets.
    dir: PathBuf,
    root: PathBuf,
    classes: Vec<String>,
    files: [Vec<File>; 3],
    split: String,
    given_test: bool,
    /// The seed of a split that no folder has a part in.
    split_anew: Option<u64>,
    shape: [usize; 3],
    place: Option<Place>,
    cached: Option<(Numbers<u8>, Told)>,
    /// Where nothing is cached.
    survey: Option<Survey>,
    notes: Vec<String>,
    unread: Vec<(PathBuf, String)>,
}

/// Reads a folder of pictures, with a sub-folder for each class: PNG, JPEG, WebP and BMP files.
///
/// The names of the sub-folders, sorted byte by byte, are the names of the classes. Folders within them belong to the class; each is
/// read once, however many links lead there. Where the sub-folders are called `train` and `test`, or `val` (`validation`), the
/// folders of classes are within them; otherwise pictures are split by classes, 80 % to train on, 10 % to validate and 10 % to
/// test. Of a training and a test set without a validation set a tenth of the former validates, and likewise without a test set.
/// Within a set pictures are in the order of their classes, and then of their paths. A folder that holds nothing but one other
/// stands for that one. Hidden files and files with other names are passed over.
///
/// Pictures are turned upright by their EXIF tag, transparent parts are white, and each is scaled and cut to the size of the images
/// as [`Picture::fitted`](crate::data::Picture::fitted) does. Files that cannot be read are left out: [`PictureSets::warning`]
/// names the first. Where all that were split off for a set are such, the others are split anew.
///
/// ```no_run
/// use shadegrad::data::{PictureOptions, load_pictures};
///
/// let photos = load_pictures("photos".as_ref(), &PictureOptions::default())?;
/// println!("{} pictures of {:?}", photos.train.len(), photos.train.class_names());
/// if let Some(warning) = photos.warning() {
///     eprintln!("{warning}");
/// }
/// # Ok::<(), shadegrad::data::DataError>(())
/// ```
///
/// # Errors
/// [`DataError::Pictures`] where the folder is none of this kind, every picture of a class or of a sub-folder `train` or `test` is
/// broken, or there is no memory; [`DataError::TooFewToSplit`].
pub fn load_pictures(dir: &Path, options: &PictureOptions) -> Result<PictureSets, DataError> {
    let folder = PictureFolder::find(dir, options)?;
    for note in folder.notes() {
        log::warn!("{note}");
    }
    let sets = folder.load(&|_, _| {})?;
    if let Some(warning) = sets.warning() {
        log::warn!("{warning}");
    }
    Ok(sets)
}

impl PictureFolder {
    /// Looks at the folder, and, where it is not cached, at the header of each picture.
    ///
    /// # Errors
    /// As [`load_pictures`], for all that shows before pictures are decoded.
    pub fn find(dir: &Path, options: &PictureOptions) -> Result<Self, DataError> {
        check_asked(options.size, options.channels)?;
        let mut listed = list(dir)?;
        let (files, split) = parts(&mut listed, options.split_seed)?;
        let small = too_small(&listed.classes, &files, listed.given);
        listed.notes.extend(small);
        let all: Vec<&File> = files.iter().flatten().collect();
        let naming = options.cache.as_deref().map(|cache| Naming::new(cache, &listed.root, &files));
        let (shape, survey) = shape(&all, options, naming.as_ref());
        let place = naming.map(|naming| naming.place(&format!("{shape:?}")));
        let cached = place.as_ref().and_then(|place| match place.read()? {
            Ok((pixels, told)) => {
                Some((pixels, told)).filter(|(_, told)| fits(told, shape, &files, listed.classes.len()))
            }
            Err(problem) => {
                log::warn!("{}: {problem}; the pictures are decoded again", place.path().display());
                None
            }
        });
        let survey = if cached.is_none() { survey.or_else(|| Some(Survey::of(&all))) } else { None };
        let [_, given_validation, given_test] = listed.given;
        let split_anew = (!given_validation && !given_test).then_some(options.split_seed);
        let (root, classes, notes, unread) = (listed.root, listed.classes, listed.notes, listed.unread);
        Ok(PictureFolder {
            dir: dir.to_owned(),
            root,
            classes,
            files,
            split,
            given_test,
            split_anew,
            shape,
            place,
            cached,
            survey,
            notes,
            unread,
        })
    }

    /// Height, width and channels of the images.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// What the classes are called, in order.
    pub fn class_names(&self) -> &[String] {
        &self.classes
    }

    /// How the sets came about, in a line.
    pub fn split(&self) -> &str {
        &self.split
    }

    /// What is unusual about the folder, a line each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// How many files are for training, broken ones included.
    pub fn train_len(&self) -> usize {
        self.files[0].len()
    }

    /// How many files there are, broken ones included.
    pub fn len(&self) -> usize {
        self.files.iter().map(Vec::len).sum()
    }

    /// Always false: a folder without pictures is an error.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the pictures have been decoded before, and are in the cache.
    pub fn is_cached(&self) -> bool {
        self.cached.is_some()
    }

    /// The file in the cache that the decoded pictures are, or are to be, kept in.
    pub fn cache_file(&self) -> Option<PathBuf> {
        self.place.as_ref().map(Place::path)
    }

    /// The pictures, decoded on all threads or from the cache. `progress` is told how many of how many are done.
    ///
    /// # Errors
    /// As [`load_pictures`].
    pub fn load(self, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<PictureSets, DataError> {
        let cached = self.cached.is_some();
        let (pixels, told, broken) = match self.cached {
            Some((pixels, told)) => {
                let files: Vec<&File> = self.files.iter().flatten().collect();
                let problems = told.broken.iter().map(|(_, problem)| problem.clone());
                let paths = told.left_out.iter().map(|&at| files[at].found.path.clone());
                let broken = paths.zip(problems).collect();
                (pixels, told, broken)
            }
            None => {
                let files = self
                    .files
                    .iter()
                    .zip(0..)
                    .flat_map(|(files, set)| files.iter().map(move |file| (file, set)));
                let pixels =
                    self.survey.iter().flat_map(Survey::pixels).map(|found| found.map_err(Problem::from));
                let task = |((file, set), pixels)| Task { file, set, pixels };
                let tasks: Vec<Task<'_>> = files.zip(pixels).map(task).collect();
                let Filled { pixels, told, broken } =
                    fill(&tasks, self.classes.len(), self.shape, self.place.as_ref(), progress)?;
                (pixels, told, broken)
            }
        };
        let broken: Vec<(PathBuf, String)> = self.unread.into_iter().chain(broken).collect();
        for (path, problem) in &broken {
            log::info!("{}: {problem}", path.display());
        }
        if told.stretched > 0 {
            let count = told.stretched;
            log::warn!(
                "{count} picture(s) of 16 bits hold numbers of fewer bits, and were stretched one by one"
            );
        }
        check_classes(&self.root, &self.classes, &self.files, &told, &broken)?;
        let decoded = decoded(&self.files, &told.left_out);
        let path = |(_, file): (usize, &File)| {
            let path = &file.found.path;
            path.strip_prefix(&self.dir).unwrap_or(path).display().to_string()
        };
        let names: Vec<String> = decoded.map(path).collect();
        let dir = self.dir.clone();
        let read = Read { dir, pixels, told, names, classes: self.classes, broken, cached };
        if let Some(seed) = self
            .split_anew
            .filter(|_| (0..3).any(|set| read.told.len(set) == 0 && !self.files[set].is_empty()))
        {
            log::warn!(
                "{}: all pictures of a set are broken; the others are split anew",
                self.root.display()
            );
            return sets_anew(read, seed);
        }
        check_sets(&self.root, &self.files, &read.told, &read.broken)?;
        sets(read, self.given_test)
    }
}

/// The shape of the images: the one that is asked for, or was found before, or that of the pictures, which are then looked at.
fn shape(files: &[&File], options: &PictureOptions, naming: Option<&Naming>) -> ([usize; 3], Option<Survey>) {
    if let (Some([h, w]), Some(c)) = (options.size, options.channels) {
        return ([h, w, c], None);
    }
    let memory = naming.map(|naming| naming.place(&format!("{:?} {:?}", options.size, options.channels)));
    if let Some(shape) = memory.as_ref().and_then(Place::shape) {
        return (shape, None);
    }
    let survey = Survey::of(files);
    // Where no header can be read no picture can, which is an error later on.
    let [h, w] = options.size.or_else(|| survey.size()).unwrap_or([1, 1]);
    let shape = [h, w, options.channels.unwrap_or_else(|| survey.channels(files))];
    // What could not be read may be read the next time.
    if let Some(memory) = memory.filter(|_| survey.is_whole()) {
        memory.remember(shape);
    }
    (shape, Some(survey))
}

/// The files that are not left out, with the numbers of their sets, in the order in which they are decoded.
fn decoded<'a>(files: &'a [Vec<File>; 3], left_out: &'a [usize]) -> impl Iterator<Item = (usize, &'a File)> {
    let all = files.iter().enumerate().flat_map(|(set, files)| files.iter().map(move |file| (set, file)));
    all.enumerate().filter(|(at, _)| left_out.binary_search(at).is_err()).map(|(_, file)| file)
}

/// Whether a cached description is of these files: a made-up one is not, nor one that does not say which files are left out.
fn fits(told: &Told, shape: [usize; 3], files: &[Vec<File>; 3], classes: usize) -> bool {
    let mut counts = [(); 3].map(|()| vec![0; classes]);
    decoded(files, &told.left_out).for_each(|(set, file)| counts[set][file.label as usize] += 1);
    let all: usize = files.iter().map(Vec::len).sum();
    told.shape == shape
        && told.counts == counts
        && told.left_out.len() == told.broken.len()
        && told.left_out.is_sorted_by(|a, b| a < b)
        && told.left_out.iter().all(|&at| at < all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::pictures::walk::Found;

    #[test]
    fn a_cached_description_says_which_files_are_left_out() {
        let file = |label| {
            let found = Found { path: PathBuf::new(), bytes: 0, modified: 0, others: [0; 3] };
            File { label, found }
        };
        // Of the training set two files of class 0 and one of class 1, of the test set one of each.
        let files = [[0, 0, 1].map(file).to_vec(), Vec::new(), [0, 1].map(file).to_vec()];
        let told = |counts: [[usize; 2]; 3], broken: usize, left_out: &[usize]| {
            let mut told = Told::new([2, 2, 1], counts.map(|counts| counts.to_vec()));
            told.broken = vec![Default::default(); broken];
            told.left_out = left_out.to_vec();
            told
        };
        let rows = [
            ("whole", told([[2, 1], [0, 0], [1, 1]], 0, &[]), true),
            ("one left out", told([[1, 1], [0, 0], [1, 1]], 1, &[1]), true),
            ("of the last set", told([[2, 1], [0, 0], [1, 0]], 1, &[4]), true),
            ("of an earlier version", told([[1, 1], [0, 0], [1, 1]], 1, &[]), false),
            ("another one", told([[1, 1], [0, 0], [1, 1]], 1, &[2]), false),
            ("one that is not there", told([[2, 1], [0, 0], [1, 1]], 1, &[5]), false),
            ("twice", told([[1, 1], [0, 0], [1, 1]], 2, &[0, 0]), false),
            ("fewer", told([[1, 1], [0, 0], [1, 1]], 0, &[]), false),
        ];
        for (what, told, expected) in rows {
            assert_eq!(fits(&told, [2, 2, 1], &files, 2), expected, "{what}");
            assert!(!fits(&told, [2, 2, 3], &files, 2), "{what}, of another shape");
        }
    }
}
