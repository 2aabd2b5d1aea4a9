// {"doc": …, "patch": …}: a patch that fails changes nothing; one that applies gives a document that prints.

#include "base/check.h"
#include "object/codec.h"
#include "object/patch.h"

namespace {

using namespace stead::object;

// A message that holds itself, so that every list strategy meets every nesting.
const Message& node() {
  static Message made{.name = "Node"};
  static const TypeRef kText{Type::kString};
  static const TypeRef kNode{Type::kMessage, &made};
  if (!made.fields.empty()) return made;
  made.fields = {{.name = "n", .type = {Type::kString}},
                 {.name = "m", .type = {Type::kMap, nullptr, &kText}},
                 {.name = "s", .type = {Type::kList, nullptr, &kText}, .patch_strategy = MergeStrategy::kMerge},
                 {.name = "a", .type = {Type::kList, nullptr, &kNode}},
                 {.name = "l",
                  .type = {Type::kList, nullptr, &kNode},
                  .patch_strategy = MergeStrategy::kMergeRetainKeys,
                  .patch_merge_key = "n"},
                 {.name = "o", .type = kNode, .patch_strategy = MergeStrategy::kRetainKeys}};
  made.finish();
  return made;
}

template <class Apply>
void run(const Value& doc, Apply apply) {
  Value target = doc;
  if (apply(target)) {
    STEAD_CHECK(parse_json(to_json(target), nullptr, {.bytes_max = size_t{1} << 30, .depth_max = 1000}).ok());
  } else {
    STEAD_CHECK(target == doc);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto input = parse_json({reinterpret_cast<const char*>(data), size});
  if (!input.ok()) return 0;
  const Value& doc = input->at("doc");
  const Value& patch = input->at("patch");
  run(doc, [&](Value& target) { return apply_json_patch(target, patch).ok(); });
  run(doc, [&](Value& target) {
    apply_merge_patch(target, patch);
    Value again = target;
    apply_merge_patch(again, patch);
    STEAD_CHECK(again == target);  // RFC 7386 patches are idempotent
    return true;
  });
  run(doc, [&](Value& target) {
    if (!apply_strategic_merge_patch(target, patch, node()).ok()) return false;
    // The same patch once more changes nothing, if it can be applied (it may add items without their key), and if what
    // it made is of the declared types: a key that is an object loses its nulls, and is another one then.
    Value shaped = target;
    if (!shape(shaped, node(), nullptr).ok()) return true;
    Value again = target;
    STEAD_CHECK(!apply_strategic_merge_patch(again, patch, node()).ok() || again == target, to_json(target));
    return true;
  });
  return 0;
}
