//! Where a case is played, and the surroundings that must not change.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::dice::Dice;

/// The folder of a process: `case` belongs to one case, `outside` to none.
pub struct Place {
    root: PathBuf,
}

impl Place {
    /// In memory if the system has such a place.
    pub fn new(parent: &Path, number: u64) -> Self {
        let place = Place { root: parent.join(number.to_string()) };
        fs::create_dir_all(place.outside().join("folder")).unwrap();
        fs::create_dir_all(place.working()).unwrap();
        for (name, content) in [("precious.txt", "mine\n"), ("folder/notes.txt", "mine, too\n")] {
            fs::write(place.outside().join(name), content).unwrap();
        }
        place
    }

    /// Of the case that is played.
    pub fn case(&self) -> PathBuf {
        self.root.join("case")
    }

    /// What is outside a case, for comparison.
    pub fn outside(&self) -> PathBuf {
        self.root.join("outside")
    }

    /// The folder in which the process works, which stays empty.
    pub fn working(&self) -> PathBuf {
        self.root.join("working")
    }

    /// A fresh folder for a case.
    pub fn clear(&self) -> PathBuf {
        let case = self.case();
        remove(&case);
        fs::create_dir(&case).unwrap();
        case
    }

    /// Every file and folder that no case may touch.
    pub fn untouchable(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = content(&self.outside());
        found.extend(content(&self.working()));
        let names = fs::read_dir(&self.root).unwrap();
        found.extend(
            names.map(|name| (name.unwrap().path(), Vec::new())).filter(|(path, _)| *path != self.case()),
        );
        found
    }
}

fn content(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(content(&path));
            found.insert(path, Vec::new());
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}

/// Removes what is there; a link is not followed.
pub fn remove(path: &Path) {
    match fs::symlink_metadata(path) {
        Ok(about) if about.is_dir() => fs::remove_dir_all(path).unwrap(),
        Ok(_) => fs::remove_file(path).unwrap(),
        Err(_) => {}
    }
}

/// Replaces a file with something else: a folder, a link out of the case, a pipe, a device.
pub fn put_something_odd(path: &Path, place: &Place, dice: &mut Dice) {
    remove(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let link = |to: PathBuf| std::os::unix::fs::symlink(to, path).unwrap();
    match dice.below(9) {
        0 => {}
        1 => fs::create_dir_all(path.join("within")).unwrap(),
        2 => link(place.outside().join("precious.txt")),
        3 => link(place.outside().join("not-there.txt")),
        4 => link(place.outside().join("folder")),
        5 => link(path.to_owned()),
        6 => link("/dev/zero".into()),
        7 => link("/dev/full".into()),
        _ => rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::RWXU).unwrap(),
    }
}
