#pragma once

// Rules for volume sources that some storage service provides: iSCSI, CSI drivers, those of clouds and of plugins long
// gone, whose objects are still kept. Pure.

#include "kinds/core/shared_volume_sources.h"

namespace stead::kinds {

// False where `kind` is not such a source.
bool validate_storage_service(const Path& path, std::string_view kind, const Value& source, const VolumeOwner& owner,
                              FieldErrors& errors);

// The name of a CSI driver.
void check_driver_name(const Path& path, const Value& driver, FieldErrors& errors);

}  // namespace stead::kinds
