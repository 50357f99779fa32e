//! Work that is handed to all threads in pieces. What hands it out is compiled once for a type of numbers, not for each loop.

use rayon::prelude::*;

/// What is done with a piece of numbers, by its number.
type Work<'a, T> = dyn Fn(usize, &mut [T]) + Sync + 'a;
/// And with the piece of others of the same number.
type WorkBy<'a, T> = dyn Fn(usize, &mut [T], &[T]) + Sync + 'a;
type WorkOnBoth<'a, T, U> = dyn Fn(usize, &mut [T], &mut [U]) + Sync + 'a;

/// Calls `f` with the number of each piece and its `len` numbers of `y`, of which the last piece may have fewer.
pub(crate) fn each_piece<T: Send>(y: &mut [T], len: usize, f: &Work<'_, T>) {
    y.par_chunks_mut(len).enumerate().for_each(|(number, y)| f(number, y));
}

/// [`each_piece`] of `y` with the piece of `x` of the same number, `x_len` numbers.
pub(crate) fn each_piece_by<T: Send + Sync>(
    y: &mut [T],
    len: usize,
    x: &[T],
    x_len: usize,
    f: &WorkBy<'_, T>,
) {
    let pieces = y.par_chunks_mut(len).zip(x.par_chunks(x_len)).enumerate();
    pieces.for_each(|(number, (y, x))| f(number, y, x));
}

/// [`each_piece`] of `y` with the piece of `z` of the same number, `z_len` numbers.
pub(crate) fn each_pair<T: Send, U: Send>(
    y: &mut [T],
    len: usize,
    z: &mut [U],
    z_len: usize,
    f: &WorkOnBoth<'_, T, U>,
) {
    let pieces = y.par_chunks_mut(len).zip(z.par_chunks_mut(z_len)).enumerate();
    pieces.for_each(|(number, (y, z))| f(number, y, z));
}
