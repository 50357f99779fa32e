//! Errors that read the same wherever they are printed.

/// Gives errors their message as `Debug`, too: `fn main() -> Result<(), shadegrad::Error>` prints an error so, and so does `unwrap`.
macro_rules! debug_is_message {
    ($($error:ty),+ $(,)?) => {
        $(impl std::fmt::Debug for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        })+
    };
}

pub(crate) use debug_is_message;
