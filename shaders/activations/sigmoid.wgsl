// y = 1 / (1 + exp(-x)). Written with exp(-|x|), which is at most 1 and never overflows.
fn activation(x: Real) -> Real {
    let e = exp(-abs(x));
    return select(e, Real(1.0), x >= Real()) / (1.0 + e);
}

// dx = dy * y * (1 - y).
fn activation_gradient(y: Real, dy: Real) -> Real {
    return dy * (y * (1.0 - y));
}
