# Run by a build step: makes OUTPUT, C++ that defines zhibu::rules::ShippedFiles() with the text of
# each of FILES, by its name.
set(rows "")
foreach(file ${FILES})
  file(READ ${file} text)
  cmake_path(GET file FILENAME name)
  string(APPEND rows "      {\"${name}\", R\"zhibu(${text})zhibu\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"sync/rules/book/book.h\"

namespace zhibu::rules {

const std::vector<RuleText>& ShippedFiles() {
  static const std::vector<RuleText>& files = *new std::vector<RuleText>{
${rows}  };
  return files;
}

}  // namespace zhibu::rules
")
