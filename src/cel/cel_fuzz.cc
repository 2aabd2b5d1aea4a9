// Any text as an expression: compiling and evaluating must end, within the limit of cost, whatever it says.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cel/environment.h"
#include "object/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stead::cel;
  static const stead::object::Value document =
      stead::object::parse_json(R"({"a": 1, "b": ["x", "y"], "c": {"d": 1.5, "e": null}, "s": "text"})").value();
  if (size > 4096) return 0;
  Environment environment;
  environment.declare("object", Type());
  environment.declare("self", Type::map(Type::string(), Type()).with_max_size(10));
  Compilation compiled = environment.compile({reinterpret_cast<const char*>(data), size});
  (void)compiled.error_text();
  if (!compiled.ok()) return 0;
  Activation activation;
  activation.bind("object", Value::document(document));
  activation.bind("self", Value::document(document));
  (void)compiled.program->estimate_cost();
  Evaluation evaluation = compiled.program->evaluate(activation, 10'000);
  if (evaluation.ok()) (void)evaluation.value.to_document();
  return 0;
}
