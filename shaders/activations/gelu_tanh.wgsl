// SLOPE is 2 sqrt(2 / pi), BEND that times 0.044715.

// y = x / 2 * (1 + tanh(u)), u = sqrt(2 / pi) * (x + 0.044715 x^3). Half of the bracket is the sigmoid of v = 2u; written with
// exp(-|v|), which is at most 1 and never overflows.
fn activation(x: Real) -> Real {
    let v = x * (SLOPE + BEND * (x * x));
    let e = exp(-abs(v));
    return x * (select(e, Real(1.0), v >= Real()) / (1.0 + e));
}

// dx = dy * (s + x * s * (1 - s) * dv/dx) with s = sigmoid(v), by the input x: y falls and rises. s * (1 - s) is e / (1 + e)^2.
fn activation_gradient(x: Real, dy: Real) -> Real {
    let square = x * x;
    let v = x * (SLOPE + BEND * square);
    let e = exp(-abs(v));
    let q = 1.0 / (1.0 + e);
    let s = select(e, Real(1.0), v >= Real()) * q;
    return dy * (s + x * (e * q * q * (SLOPE + 3.0 * BEND * square)));
}
