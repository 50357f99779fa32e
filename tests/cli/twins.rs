//! A machine with two adapters of the same name.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::sandbox::Sandbox;

/// The variables that list drivers for the Vulkan loader, and the folders that it searches by default.
const VARIABLES: [&str; 2] = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];
const FOLDERS: [&str; 3] = ["/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/usr/share/vulkan/icd.d"];

/// The Vulkan loader finds the software driver twice.
pub fn twin_adapters() -> Sandbox {
    let sandbox = Sandbox::new();
    let text = described(&software_driver());
    let twins = ["twin-a.json", "twin-b.json"].map(|name| {
        fs::write(sandbox.path(name), &text).unwrap();
        sandbox.path(name).display().to_string()
    });
    let twins = twins.join(":");
    sandbox.with(VARIABLES[0], &twins).with(VARIABLES[1], &twins)
}

/// The file that describes lavapipe to the loader.
fn software_driver() -> PathBuf {
    let told = VARIABLES.iter().filter_map(|name| std::env::var(name).ok());
    let told: Vec<PathBuf> =
        told.flat_map(|list| list.split(':').map(PathBuf::from).collect::<Vec<_>>()).collect();
    let entries = FOLDERS.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let found = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_lavapipe = |path: &PathBuf| path.to_string_lossy().contains("lvp");
    told.into_iter().chain(found).find(is_lavapipe).expect("lavapipe is installed")
}

/// Its text, with a path that is valid wherever the file is.
fn described(file: &Path) -> String {
    let mut driver: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let library = driver["ICD"]["library_path"].as_str().unwrap().to_owned();
    if library.contains('/') {
        driver["ICD"]["library_path"] = file.parent().unwrap().join(library).display().to_string().into();
    }
    driver.to_string()
}
