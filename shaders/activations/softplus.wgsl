// y = ln(1 + exp(x)). Written with exp(-|x|), which is at most 1 and never overflows.
fn activation(x: Real) -> Real {
    return max(x, Real()) + log(1.0 + exp(-abs(x)));
}

// dx = dy / (1 + exp(-x)), by the input x: for large negative x the output is 0, and says nothing.
fn activation_gradient(x: Real, dy: Real) -> Real {
    let e = exp(-abs(x));
    return dy * (select(e, Real(1.0), x >= Real()) / (1.0 + e));
}
