//! Pictures made anew: upright, without a word about who took them where, and small ones of them.

mod animation;
mod still;

use bytes::Bytes;
use image::{DynamicImage, ImageError, ImageFormat, Limits, codecs::jpeg::JpegEncoder};

use super::sniff::Picture;

/// Bytes of a file that may be a picture.
pub(super) const BYTES: u64 = 20_000_000;
/// Pixels of a picture.
const PIXELS: u64 = 50_000_000;
/// Frames of an animation.
const FRAMES: usize = 500;
/// Pixels of all frames of an animation.
const PIXELS_OF_ALL: u64 = 1_000_000_000;
/// Bytes that a decoder may ask for.
const MEMORY: u64 = 256 << 20;
/// Pixels of a thumbnail's longer side.
const THUMBNAIL: u32 = 480;
/// The quality of what is shown small.
const THUMBNAIL_QUALITY: u8 = 80;

/// A picture as the server keeps it.
pub(super) struct Anew {
    pub(super) bytes: Bytes,
    pub(super) media_type: &'static str,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) blurhash: Option<String>,
    pub(super) thumbnail: Bytes,
    pub(super) thumbnail_type: &'static str,
}

/// Why a picture cannot be made anew.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unmade {
    #[error("it cannot be decoded: {0}")]
    Undecodable(String),
    #[error("it has more pixels than allowed")]
    Pixels,
    #[error("it has more frames than allowed")]
    Frames,
}

impl From<ImageError> for Unmade {
    fn from(error: ImageError) -> Self {
        Self::Undecodable(error.to_string())
    }
}

/// Decodes a picture within the limits and encodes it again.
///
/// # Errors
/// It is none, or is beyond the limits.
pub(super) fn make_anew(bytes: &[u8], format: Picture) -> Result<Anew, Unmade> {
    match format {
        Picture::Jpeg => still::make(bytes, ImageFormat::Jpeg),
        Picture::Png => still::make(bytes, ImageFormat::Png),
        Picture::Webp if animation::is_animated_webp(bytes)? => animation::webp(bytes),
        Picture::Webp => still::make(bytes, ImageFormat::WebP),
        Picture::Gif => animation::gif(bytes),
    }
}

fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MEMORY);
    limits
}

fn within((width, height): (u32, u32)) -> Result<(), Unmade> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > PIXELS { Err(Unmade::Pixels) } else { Ok(()) }
}

/// A small picture of a picture, and a few colours to show before that.
fn small(picture: &DynamicImage) -> Result<(Bytes, &'static str, Option<String>), Unmade> {
    let small = if picture.width().max(picture.height()) > THUMBNAIL {
        picture.thumbnail(THUMBNAIL, THUMBNAIL)
    } else {
        picture.clone()
    };
    let tiny = small.thumbnail(32, 32).into_rgba8();
    let (across, down) = if tiny.width() >= tiny.height() { (4, 3) } else { (3, 4) };
    let blurhash = blurhash::encode(across, down, tiny.width(), tiny.height(), tiny.as_raw()).ok();
    let mut bytes = Vec::new();
    if is_transparent(&small) {
        small.into_rgba8().write_to(&mut std::io::Cursor::new(&mut bytes), ImageFormat::Png)?;
        return Ok((bytes.into(), "image/png", blurhash));
    }
    small.into_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, THUMBNAIL_QUALITY))?;
    Ok((bytes.into(), "image/jpeg", blurhash))
}

/// Whether anything of it shows what is behind.
fn is_transparent(picture: &DynamicImage) -> bool {
    picture.color().has_alpha() && picture.to_rgba8().pixels().any(|pixel| pixel.0[3] != u8::MAX)
}
