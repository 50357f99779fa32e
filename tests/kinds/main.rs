mod draw;
mod score;
