//! Words for what can be wrong with firmware folders and images.

use super::Text;

/// An image is not there.
pub const IMAGE_MISSING: Text = Text {
    code: "IMAGE-MISSING",
    english: "the image is missing: version {0} is not offered; copy it, or move the folder away",
    russian: "образа нет: версия {0} не предлагается; скопируйте его или уберите папку",
};

/// All of them.
pub const ALL: &[&Text] = &[&IMAGE_MISSING];
