//! Module constants of shaders.

/// A module constant of a shader.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Constant {
    U32(usize),
    F32(f32),
    Bool(bool),
}

/// Sizes and settings, by the names that the shader uses.
pub(crate) type Constants = Vec<(&'static str, Constant)>;

impl Constant {
    /// As a declaration in WGSL; the shortest text of a float reads back as the same float.
    pub(crate) fn declare(self, name: &str) -> String {
        match self {
            Constant::U32(value) => format!("const {name} = {value}u;\n"),
            Constant::F32(value) => format!("const {name} = {value:e}f;\n"),
            Constant::Bool(value) => format!("const {name} = {value};\n"),
        }
    }
}

impl From<usize> for Constant {
    fn from(value: usize) -> Self {
        Constant::U32(value)
    }
}

impl From<f32> for Constant {
    fn from(value: f32) -> Self {
        Constant::F32(value)
    }
}

impl From<bool> for Constant {
    fn from(value: bool) -> Self {
        Constant::Bool(value)
    }
}

/// `constants! { "NAME" => value, .. }`: a list of [`Constants`] in this order.
macro_rules! constants {
    ($($name:literal => $value:expr),* $(,)?) => {
        vec![$(($name, $crate::ops::kit::Constant::from($value))),*]
    };
}

pub(crate) use constants;
