//! Which class and which set a picture is of, by its path: the rules of the program for folders.

use std::collections::{BTreeMap, BTreeSet};

use shadegrad::data::{is_litter, set_called};

/// How many folders that hold nothing but the next one are opened, as archives leave them.
const MOST_WRAPPERS: usize = 8;

/// Where a picture belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// 0 the training, 1 the validation, 2 the test set.
    pub(crate) set: usize,
    /// Its number in the list of classes.
    pub(crate) class: usize,
}

/// Where pictures belong.
#[derive(Debug)]
pub(crate) struct Places {
    /// By the numbers of the paths; none for a picture in no folder of a class.
    pub(crate) all: Vec<Option<Place>>,
    /// By the numbers of the paths: what is left of each within the folders around the classes or the sets.
    pub(crate) names: Vec<String>,
    /// What the classes are called, sorted by their names.
    pub(crate) classes: Vec<String>,
    /// Whether each set has a folder of its own; if none has, all pictures are of the first.
    pub(crate) given: [bool; 3],
}

impl Places {
    /// Of paths whose parts are divided by `/`, the first of which is the folder that was chosen.
    pub(crate) fn of(paths: &[String]) -> Result<Self, String> {
        // What systems leave beside pictures counts for nothing.
        let folders: Vec<Vec<&str>> = paths.iter().map(|path| folders(path)).collect();
        let folders: Vec<Vec<&str>> = folders
            .into_iter()
            .map(|path| if path.iter().skip(1).any(|name| is_litter(name)) { Vec::new() } else { path })
            .collect();
        let skipped = wrappers(&folders);
        let below: Vec<&[&str]> =
            folders.iter().map(|path| path.get(skipped..).unwrap_or_default()).collect();
        let tops: BTreeSet<&str> = below.iter().filter_map(|path| path.first().copied()).collect();
        let given = sets(&tops)?;
        let place = |path: &&[&'_ str]| -> Option<(usize, String)> {
            match given {
                None => path.first().map(|class| (0, (*class).to_owned())),
                Some(_) => Some((set_called(path.first()?)?, (*path.get(1)?).to_owned())),
            }
        };
        let placed: Vec<Option<(usize, String)>> = below.iter().map(place).collect();
        let named: BTreeSet<&String> = placed.iter().flatten().map(|(_, class)| class).collect();
        if named.len() < 2 {
            let found = named.first().map_or("no folder with pictures in it".to_owned(), |class| {
                format!("only the folder `{class}`")
            });
            return Err(format!(
                "there is {found}; a class is a folder of pictures, and there must be two at least"
            ));
        }
        let numbers: BTreeMap<&String, usize> =
            named.iter().enumerate().map(|(at, name)| (*name, at)).collect();
        let all = placed
            .iter()
            .map(|place| place.as_ref().map(|(set, class)| Place { set: *set, class: numbers[class] }));
        let all = all.collect();
        let name = |path: &String| {
            let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).skip(skipped).collect();
            parts.join("/")
        };
        Ok(Places {
            all,
            names: paths.iter().map(name).collect(),
            classes: named.into_iter().cloned().collect(),
            given: given.unwrap_or([true, false, false]),
        })
    }
}

/// The folders of a path.
fn folders(path: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    parts.pop();
    parts
}

/// How many folders are around the classes or the sets: the one that was chosen, whatever it is called, and such as hold nothing but the next
/// one.
fn wrappers(paths: &[Vec<&str>]) -> usize {
    let names = |at: usize| paths.iter().filter_map(|path| path.get(at).copied()).collect::<BTreeSet<&str>>();
    if names(0).len() != 1 || paths.iter().all(|path| path.len() < 2) {
        return 0;
    }
    let is_wrapper = |at: &usize| {
        let (only, loose) = (names(*at), paths.iter().any(|path| path.len() == *at));
        let has_folders = paths.iter().any(|path| path.len() > at + 1);
        only.len() == 1 && !loose && has_folders && only.iter().all(|name| set_called(name).is_none())
    };
    1 + (1..=MOST_WRAPPERS).take_while(is_wrapper).count()
}

/// Which sets have folders, if folders are of sets. A class may be called `train`: then others stand beside it.
fn sets(folders: &BTreeSet<&str>) -> Result<Option<[bool; 3]>, String> {
    let mut given = [false; 3];
    let mut others = Vec::new();
    for folder in folders {
        match set_called(folder) {
            Some(set) if std::mem::replace(&mut given[set], true) && others.is_empty() => {
                return Err(format!("`{folder}` is a second folder of one set"));
            }
            Some(_) => {}
            None => others.push(format!("`{folder}`")),
        }
    }
    match (given, others.is_empty()) {
        ([false, false, false], _) | ([true, false, false] | [false, ..], false) => Ok(None),
        ([true, ..], true) => Ok(Some(given)),
        (_, false) => Err(format!(
            "there are folders of sets, and beside them {}; move these into a set",
            others.join(", ")
        )),
        (_, true) => Err("there are folders of sets, but none to train on: call it `train`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sets and classes of paths; `-` for a picture in no folder of a class.
    fn placed(paths: &[&str]) -> Result<String, String> {
        let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
        let places = Places::of(&paths)?;
        let told = |place: &Option<Place>| {
            place.map_or("-".to_owned(), |place| format!("{}{}", place.set, places.classes[place.class]))
        };
        Ok(places.all.iter().map(told).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn folders_are_classes_or_sets() {
        let rows: [(&[&str], Result<&str, &str>); 15] = [
            (&["pets/cat/1.png", "pets/dog/2.png"], Ok("0cat 0dog")),
            (&["cat/1.png", "dog/old/2.png"], Ok("0cat 0dog")),
            (&["a/b/cat/1.png", "a/b/dog/2.png"], Ok("0cat 0dog")),
            (&["pets/1.png", "pets/cat/1.png", "pets/dog/2.png"], Ok("- 0cat 0dog")),
            (&["p/train/cat/1.png", "p/train/dog/2.png", "p/test/cat/3.png"], Ok("0cat 0dog 2cat")),
            (&["p/train/cat/1.png", "p/Training/dog/2.png"], Err("second folder")),
            (&["p/train/cat/1.png", "p/val/dog/2.png", "p/train/3.png"], Ok("0cat 1dog -")),
            (&["p/train/1.png", "p/bus/2.png"], Ok("0train 0bus")),
            (&["p/train/a/1.png", "p/test/a/1.png", "p/bus/2.png"], Err("`bus`")),
            (&["p/test/a/1.png", "p/val/b/1.png"], Err("none to train on")),
            (&["test/cat/1.png", "test/dog/2.png"], Ok("0cat 0dog")),
            (&["train/train/a/1.png", "train/train/b/1.png", "train/test/a/2.png"], Ok("0a 0b 2a")),
            (&["p/cat/1.png", "p/dog/2.png", "p/.thumbs/2.png", "p/@eaDir/1.png"], Ok("0cat 0dog - -")),
            (&["p/a/1.png", "p/a/2.png"], Err("only the folder `a`")),
            (&["cat/1.png", "cat/2.png"], Err("only the folder `cat`")),
        ];
        for (paths, expected) in rows {
            match (placed(paths), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{paths:?}"),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{paths:?}: {found}"),
                (found, expected) => panic!("{paths:?}: {found:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn names_begin_at_the_classes_or_the_sets() {
        let names = |paths: [&str; 2]| Places::of(&paths.map(str::to_owned)).unwrap().names;
        assert_eq!(names(["a/b/cat/1.png", "a/b/dog/old/2.png"]), ["cat/1.png", "dog/old/2.png"]);
        assert_eq!(
            names(["p//train/cat/1.png", "p/train/dog/2.png"]),
            ["train/cat/1.png", "train/dog/2.png"]
        );
    }
}
