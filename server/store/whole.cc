#include "server/store/whole.h"

#include "server/store/layout.h"
#include "sync/base/require.h"
#include "zhibu/stored/v1/server.pb.h"

namespace zhibu::server {
namespace {

constexpr Shape kScopes{1, "bn"};
constexpr Shape kRecords{2, "nbnnnoooss"};
constexpr Shape kFeeds{4, "bnbnnyn"};
constexpr Shape kEdits{2, "nnnnssnbnbnnn"};
constexpr Shape kDevices{1, "nbbbsnnnnn"};
constexpr Shape kCounters{1, "tn"};
constexpr Shape kSettings{1, "ts"};
constexpr Shape kCodes{1, "bbn"};
constexpr Shape kMarks{2, "bb"};

// All numbers in keys are 0 or more.
constexpr int64_t kBeforeAll = -1;

DeviceNumber DeviceIn(const PartRow& row) {
  return DeviceNumber(static_cast<uint32_t>(row.cells(0).number()));
}

}  // namespace

const Shape& ShapeOf(Part part) {
  switch (part) {
    case Part::kScopes:
      return kScopes;
    case Part::kRecords:
      return kRecords;
    case Part::kFeeds:
      return kFeeds;
    case Part::kEdits:
      return kEdits;
    case Part::kDevices:
      return kDevices;
    case Part::kCounters:
      return kCounters;
    case Part::kSettings:
      return kSettings;
    case Part::kCodes:
      return kCodes;
    case Part::kMarks:
      return kMarks;
  }
  return kScopes;
}

std::string PlaceOf(Part part, size_t column, const PartRow& row) {
  if (part == Part::kSettings) return layout::Setting(row.cells(0).bytes());
  if (part == Part::kDevices) return layout::Name(DeviceIn(row));
  if (part == Part::kEdits) {
    const EditNumber number(static_cast<uint64_t>(row.cells(1).number()));
    return column == 4 ? layout::Edit(DeviceIn(row), number)
                       : layout::Answer(DeviceIn(row), number);
  }
  REQUIRE(part == Part::kRecords);
  const RecordKey key{static_cast<uint32_t>(row.cells(0).number()),
                      Id::FromBytes(row.cells(1).bytes()).value_or(Id())};
  return column == 8 ? layout::Body(key) : layout::Trace(key);
}

PartRow KeyOf(Part part, const PartRow& row) {
  const Shape& shape = ShapeOf(part);
  PartRow key;
  for (size_t i = 0; i < shape.keys; ++i) {
    stored::v1::Cell& cell = *key.add_cells();
    if (row.cells_size() > 0) {
      cell = row.cells(static_cast<int>(i));
    } else if (shape.columns[i] == 'n') {
      cell.set_number(kBeforeAll);
    } else {
      cell.set_bytes("");
    }
  }
  return key;
}

}  // namespace zhibu::server
