//! Folders with what documents speak of: small stand-ins for data, models and a trained run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use image::{Rgb, RgbImage};
use shadegrad::Device;
use shadegrad::data::{Dataset, load_dir};
use shadegrad::io::ModelFile;
use tempfile::TempDir;

use crate::blocks::root;

/// Samples of each set.
const TRAIN: usize = 128;
const TEST: usize = 40;

/// What folders are made of.
pub struct Place {
    base: TempDir,
}

impl Place {
    /// With data and models, and the tutorial trained for some steps.
    pub fn new() -> Self {
        let place = Place { base: tempfile::tempdir().expect("a folder") };
        let base = place.base.path();
        for folder in ["assets", "benches", "scripts", "tests"] {
            link(&root().join(folder), &base.join(folder));
        }
        let mnist = load_dir(&root().join("assets/mnist")).expect("MNIST");
        let (train, test) =
            (mnist.train.take(TRAIN).expect("samples"), mnist.test.take(TEST).expect("samples"));
        for folder in ["digits", "fashion-mnist"] {
            let labels = |set: &Dataset| set.labels().iter().map(|&label| label as u8).collect();
            write_idx(base, &format!("{folder}/train"), &train, labels(&train));
            write_idx(base, &format!("{folder}/t10k"), &test, labels(&test));
        }
        // 26 letters, counted from 1.
        let letters = |set: &Dataset| (0..set.len()).map(|at| 1 + (at % 26) as u8).collect();
        write_idx(base, "gzip/emnist-letters-train", &train, letters(&train));
        write_idx(base, "gzip/emnist-letters-test", &test, letters(&test));
        write_cifar(&base.join("cifar-10-batches-bin"));
        write_pictures(base);
        write_tables(base);
        write_models(base);
        let mut train = Command::new(env!("CARGO_BIN_EXE_shadegrad"));
        train.args(["train", "--data", "digits", "--device", "cpu", "--epochs", "2"]).current_dir(base);
        place.set_environment(&mut train);
        let output = train.output().expect("the program");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        place
    }

    /// A folder of its own with all of that.
    pub fn folder(&self) -> TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for entry in fs::read_dir(self.base.path()).expect("the base") {
            let entry = entry.expect("an entry of the base");
            match entry.file_name().to_str() {
                Some("runs") => copy(&entry.path(), &folder.path().join("runs")),
                Some("caches") => {}
                _ => link(&entry.path(), &folder.path().join(entry.file_name())),
            }
        }
        folder
    }

    /// Caches of this test only.
    pub fn set_environment(&self, command: &mut Command) {
        let caches = self.base.path().join("caches");
        command
            .env("XDG_CACHE_HOME", &caches)
            .env("XDG_RUNTIME_DIR", self.base.path())
            .env_remove("RUST_LOG");
    }
}

fn put(path: PathBuf, content: impl AsRef<[u8]>) {
    let folder = path.parent().expect("a file in a folder");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, content))
        .unwrap_or_else(|error| panic!("{path:?}: {error}"));
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) {
    std::os::unix::fs::symlink(from, to).unwrap_or_else(|error| panic!("{to:?}: {error}"));
}

#[cfg(not(unix))]
fn link(from: &Path, to: &Path) {
    copy(from, to);
}

fn copy(from: &Path, to: &Path) {
    if from.is_file() {
        put(to.to_owned(), fs::read(from).expect("a file"));
        return;
    }
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry of a folder");
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

/// Images and labels, as IDX files that are called `NAME-images-idx3-ubyte` and `NAME-labels-idx1-ubyte`.
fn write_idx(base: &Path, name: &str, set: &Dataset, labels: Vec<u8>) {
    let head = |sizes: &[u32]| {
        let mut head = vec![0, 0, 8, sizes.len() as u8];
        head.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        head
    };
    let count = labels.len() as u32;
    put(
        base.join(format!("{name}-images-idx3-ubyte")),
        [head(&[count, 28, 28]), set.images().to_vec()].concat(),
    );
    put(base.join(format!("{name}-labels-idx1-ubyte")), [head(&[count]), labels].concat());
}

/// Six files of records: a label, then 32 x 32 bytes each of red, green and blue.
fn write_cifar(folder: &Path) {
    let record = |at: u8| {
        let mut record = vec![at % 10];
        record.extend((0..3 * 32 * 32u32).map(|place| (place as u8).wrapping_mul(at)));
        record
    };
    for (name, first) in [
        ("data_batch_1", 0),
        ("data_batch_2", 20),
        ("data_batch_3", 40),
        ("data_batch_4", 60),
        ("data_batch_5", 80),
        ("test_batch", 100),
    ] {
        put(folder.join(format!("{name}.bin")), (first..first + 20).flat_map(record).collect::<Vec<u8>>());
    }
    let names = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n";
    put(folder.join("batches.meta.txt"), names);
}

/// Two kinds of photographs, and one more.
fn write_pictures(base: &Path) {
    for (class, ground) in [("cat", 30u8), ("dog", 180)] {
        for number in 0..12u8 {
            let colour = |x: u32, y: u32| Rgb([ground + x as u8, ground + y as u8, ground + number]);
            let path = base.join("photos").join(class).join(format!("{number}.png"));
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            RgbImage::from_fn(40, 30, colour).save(path).expect("a picture");
        }
    }
    RgbImage::from_pixel(50, 40, Rgb([190, 200, 210])).save(base.join("new.jpg")).expect("a picture");
}

fn write_tables(base: &Path) {
    let mut iris = "sepal_length,sepal_width,petal_length,petal_width,species\n".to_owned();
    let mut houses = "area,rooms,distance,price\n".to_owned();
    for at in 0..60u32 {
        let (kind, by) = (at % 3, f64::from(at % 7) / 10.0);
        let species = ["setosa", "versicolor", "virginica"][kind as usize];
        let size = f64::from(kind);
        iris += &format!(
            "{:.1},{:.1},{:.1},{:.1},{species}\n",
            5.0 + size + by,
            3.4 - by,
            1.4 + 2.0 * size,
            0.2 + size
        );
        let (area, rooms) = (40 + 2 * at, 1 + at % 5);
        houses += &format!(
            "{area},{rooms},{by},{:.1}\n",
            2.5 * f64::from(area) + 15.0 * f64::from(rooms) - 20.0 * by
        );
    }
    put(base.join("iris.csv"), iris);
    put(base.join("houses.csv"), houses);
    put(base.join("new.csv"), "area,rooms,distance\n120,4,0.5\n75,2,0.1\n");
}

/// Models for these sets, each of one dense layer.
fn write_models(base: &Path) {
    let classes = |name: &str, shape: &str, flatten: &str, units: usize| {
        let head = format!("name = \"{name}\"\ninput_shape = {shape}\n{flatten}");
        format!("{head}\n[[layers]]\ntype = \"Dense\"\nunits = {units}\nactivation = \"softmax\"\n")
    };
    let flatten = "\n[[layers]]\ntype = \"Flatten\"\n";
    put(base.join("letters.toml"), classes("letters", "[28, 28, 1]", flatten, 26));
    put(base.join("net.toml"), classes("net", "[28, 28, 1]", flatten, 10));
    put(base.join("iris.toml"), classes("iris", "[4]", "", 3));
    let prices = "name = \"prices\"\ninput_shape = [3]\ntarget = \"values\"\nloss = \"mean_squared_error\"\n";
    let layers = "\n[[layers]]\ntype = \"Normalization\"\n\n[[layers]]\ntype = \"Dense\"\nunits = 1\n";
    put(base.join("prices.toml"), format!("{prices}{layers}"));
    // Weights for one of them.
    let net = ModelFile::read(&base.join("net.toml")).expect("a model file");
    let mut net = net.model.compile(&Device::cpu(), net.compile()).expect("a model");
    net.save(&base.join("net")).expect("a saved model");
    fs::copy(base.join("net/weights.safetensors"), base.join("theirs.safetensors")).expect("its weights");
}
