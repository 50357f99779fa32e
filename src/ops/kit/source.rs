//! Shader files, and what they import.
//!
//! The first lines of a file may import others, one to a line, in comments, so that the file stays valid WGSL:
//!
//! ```wgsl
//! // import shared/linear_index.wgsl
//! // import shared/horizontal_{scalar,vec4}.wgsl
//! // import lanes/eight_{vec4,int64}.wgsl
//! // import shared/{alone,together}.wgsl
//! ```
//!
//! `{function}` is a file that the step decides: that of an activation. Of other names in braces the first is for kernels whose
//! `Real` is one float, the second for those of four; where the second is `int64` it is for kernels with integers of 64 bits, and
//! the first for those without; where it begins with `together`, for kernels whose invocations share sums. Files are put together as they stand, comments too, each once and behind those that it imports.

/// What a line that imports a file begins with.
const IMPORT: &str = "// import ";

/// The name in braces for kernels with integers of 64 bits.
const INT64: &str = "int64";

/// What the name in braces for kernels whose invocations share sums begins with.
const TOGETHER: &str = "together";

/// The import of the file that the step decides.
pub const FUNCTION: &str = "activations/{function}.wgsl";

/// A shader file: its name under `shaders/` and its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Path under `shaders/`.
    pub file: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! shader {
    ($file:literal) => {
        crate::ops::kit::Source {
            file: $file,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $file)),
        }
    };
}
pub(crate) use shader;

/// What decides between two files that a kernel may import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// Floats to a `Real`: 1 or 4.
    pub width: usize,
    /// Whether there are integers of 64 bits.
    pub int64: bool,
    /// Whether several invocations share a sum.
    pub together: bool,
}

/// Every file that others may import.
pub const SHARED: &[Source] = &[
    shader!("lanes/block.wgsl"),
    shader!("lanes/block_across.wgsl"),
    shader!("lanes/block_along.wgsl"),
    shader!("lanes/block_product.wgsl"),
    shader!("lanes/block_rows.wgsl"),
    shader!("lanes/eight.wgsl"),
    shader!("lanes/eight_int64.wgsl"),
    shader!("lanes/eight_vec4.wgsl"),
    shader!("lanes/given.wgsl"),
    shader!("lanes/image_rows.wgsl"),
    shader!("shared/a_columns.wgsl"),
    shader!("shared/a_rows.wgsl"),
    shader!("shared/alone.wgsl"),
    shader!("shared/alone_best.wgsl"),
    shader!("shared/b_columns.wgsl"),
    shader!("shared/batch.wgsl"),
    shader!("shared/bytes_scalar.wgsl"),
    shader!("shared/bytes_vec4.wgsl"),
    shader!("shared/convolution.wgsl"),
    shader!("shared/dense_part.wgsl"),
    shader!("shared/dense_tile.wgsl"),
    shader!("shared/draws_scalar.wgsl"),
    shader!("shared/draws_vec4.wgsl"),
    shader!("shared/dropout.wgsl"),
    shader!("shared/exp_minus_one.wgsl"),
    shader!("shared/first_maximum.wgsl"),
    shader!("shared/group_tile.wgsl"),
    shader!("shared/guarded.wgsl"),
    shader!("shared/horizontal_scalar.wgsl"),
    shader!("shared/horizontal_vec4.wgsl"),
    shader!("shared/kernel_gradient.wgsl"),
    shader!("shared/linear_index.wgsl"),
    shader!("shared/one_column.wgsl"),
    shader!("shared/philox.wgsl"),
    shader!("shared/random_shift.wgsl"),
    shader!("shared/rmsprop.wgsl"),
    shader!("shared/rmsprop_in_place.wgsl"),
    shader!("shared/row_loss.wgsl"),
    shader!("shared/together.wgsl"),
    shader!("shared/together_best.wgsl"),
    shader!("shared/tripwire.wgsl"),
    shader!("shared/weight_decay.wgsl"),
    shader!("shared/window_maximum.wgsl"),
    shader!("shared/winners_scalar.wgsl"),
    shader!("shared/winners_vec4.wgsl"),
    shader!("shared/workgroup_product.wgsl"),
];

impl Source {
    /// The paths that its first lines import, for kernels of this form.
    pub fn imports(&self, form: Form) -> impl Iterator<Item = String> {
        let imports = self.text.lines().map_while(|line| line.strip_prefix(IMPORT));
        imports.map(move |path| one_of_two(path, form))
    }

    /// This file behind all that it imports, in order, `function` in place of [`FUNCTION`]. An import that is not in [`SHARED`]
    /// is left out: what it declares is then unknown to the shader compiler, which says so.
    pub fn with_imports(&self, form: Form, function: Option<Source>) -> Vec<Source> {
        let mut files = Vec::new();
        self.collect(form, function, &mut files);
        files
    }

    fn collect(&self, form: Form, function: Option<Source>, files: &mut Vec<Source>) {
        for path in self.imports(form) {
            let known = SHARED.iter().copied().find(|shared| shared.file == path);
            let known = known.or_else(|| function.filter(|_| path == FUNCTION));
            if let Some(imported) = known.filter(|imported| !files.contains(imported)) {
                imported.collect(form, function, files);
            }
        }
        files.push(*self);
    }
}

/// `a_{b,c}` as `a_b` for one float and as `a_c` for four, `a_{b,int64}` and `{b,together}` by whether there are such integers and
/// sums; other paths as they are.
fn one_of_two(path: &str, form: Form) -> String {
    let parts = path.split_once('{').and_then(|(before, rest)| {
        let (names, after) = rest.split_once('}')?;
        Some((before, names.split_once(',')?, after))
    });
    match parts {
        Some((before, names, after)) => {
            let second = names.1;
            let second = match second {
                INT64 => form.int64,
                name if name.starts_with(TOGETHER) => form.together,
                _ => form.width != 1,
            };
            format!("{before}{}{after}", if second { names.1 } else { names.0 })
        }
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(width: usize, int64: bool) -> Form {
        Form { width, int64, together: false }
    }

    #[test]
    fn the_first_lines_say_what_is_imported() {
        let sums = "// import s/{alone,together}.wgsl\n// import s/{alone,together}_best.wgsl\n";
        // (text, width, whether there are integers of 64 bits, imports)
        let rows: [(&str, usize, bool, &[&str]); 9] = [
            (sums, 4, true, &["s/alone.wgsl", "s/alone_best.wgsl"]),
            ("// import a.wgsl\n// import b.wgsl\nfn f() {}\n", 1, true, &["a.wgsl", "b.wgsl"]),
            ("// import s_{one,four}.wgsl\n", 1, true, &["s_one.wgsl"]),
            ("// import s_{one,four}.wgsl\n", 4, false, &["s_four.wgsl"]),
            ("// import s_{one,int64}.wgsl\n", 4, false, &["s_one.wgsl"]),
            ("// import s_{one,int64}.wgsl\n", 1, true, &["s_int64.wgsl"]),
            ("// import s_{one.wgsl\n", 4, false, &["s_{one.wgsl"]),
            ("// f: y = x\n// import a.wgsl\n", 1, false, &[]),
            ("", 1, false, &[]),
        ];
        for (text, width, int64, expected) in rows {
            let found: Vec<_> = Source { file: "file.wgsl", text }.imports(form(width, int64)).collect();
            assert_eq!(found, expected, "{text:?}, {width}, {int64}");
        }
        let together = Form { together: true, ..form(4, true) };
        let found: Vec<_> = Source { file: "file.wgsl", text: sums }.imports(together).collect();
        assert_eq!(found, ["s/together.wgsl", "s/together_best.wgsl"]);
    }

    #[test]
    fn what_is_shared_stands_before_its_users_and_once() {
        let text = "// import shared/tripwire.wgsl\n// import shared/batch.wgsl\n// import shared/tripwire.wgsl\n\
                    // import shared/nowhere.wgsl\n";
        let files: Vec<_> = Source { file: "own.wgsl", text }
            .with_imports(form(1, false), None)
            .iter()
            .map(|source| source.file)
            .collect();
        assert_eq!(files, ["shared/tripwire.wgsl", "shared/batch.wgsl", "own.wgsl"]);
    }

    #[test]
    fn every_import_is_a_shared_file() {
        for source in SHARED {
            for form in [form(1, false), form(4, true), Form { together: true, ..form(1, false) }] {
                for import in source.imports(form) {
                    let known = SHARED.iter().any(|shared| shared.file == import);
                    assert!(known, "{} imports {import}, which is not in SHARED", source.file);
                }
            }
        }
    }
}
