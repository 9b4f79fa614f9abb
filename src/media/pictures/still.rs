//! Pictures that do not move.

use std::io::Cursor;

use bytes::Bytes;
use image::{
    DynamicImage, ImageDecoder as _, ImageEncoder, ImageFormat, ImageReader, codecs::jpeg::JpegEncoder,
    codecs::png::PngEncoder,
};

use super::{Anew, Unmade, is_transparent, limits, small, within};

/// The quality of a photograph that is made anew.
const QUALITY: u8 = 90;
/// Bytes of a profile of colours that is kept: without it the colours of many cameras are wrong.
const PROFILE: usize = 64 * 1_024;

pub(super) fn make(bytes: &[u8], format: ImageFormat) -> Result<Anew, Unmade> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder()?;
    within(decoder.dimensions())?;
    let orientation = decoder.orientation()?;
    let profile = decoder.icc_profile().ok().flatten().filter(|profile| is_profile(profile));
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    let (thumbnail, thumbnail_type, blurhash) = small(&picture)?;
    let (width, height) = (picture.width(), picture.height());
    let (bytes, media_type) = encode(picture, format, profile)?;
    Ok(Anew { bytes, media_type, width, height, blurhash, thumbnail, thumbnail_type })
}

/// Photographs become JPEG, what has sharp edges or holes PNG.
fn encode(
    picture: DynamicImage,
    format: ImageFormat,
    profile: Option<Vec<u8>>,
) -> Result<(Bytes, &'static str), Unmade> {
    let mut bytes = Vec::new();
    if format == ImageFormat::Png || is_transparent(&picture) {
        let mut encoder = PngEncoder::new(&mut bytes);
        if let Some(profile) = profile {
            // A format that cannot hold one does without.
            let _ = encoder.set_icc_profile(profile);
        }
        picture.write_with_encoder(encoder)?;
        return Ok((bytes.into(), "image/png"));
    }
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    if let Some(profile) = profile {
        let _ = encoder.set_icc_profile(profile);
    }
    match picture {
        DynamicImage::ImageLuma8(grey) => grey.write_with_encoder(encoder)?,
        other => other.into_rgb8().write_with_encoder(encoder)?,
    }
    Ok((bytes.into(), "image/jpeg"))
}

/// A profile of colours says so at its place.
fn is_profile(profile: &[u8]) -> bool {
    profile.len() <= PROFILE && profile.get(36..40) == Some(b"acsp")
}
