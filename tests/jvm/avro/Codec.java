import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.apache.avro.Conversions;
import org.apache.avro.NameValidator;
import org.apache.avro.Schema;
import org.apache.avro.data.TimeConversions;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;

/**
 * Reads values with Java's Avro and writes them again. One JSON object a line in, one out:
 *
 * {"writer": schema text, "reader": schema text, "body": hex, "logical": bool}
 *     -> {"text": the value as Java prints it, "body": hex, written with the reader's schema} or {"refused": why}
 *
 * logical: by way of Java's types of logical types; otherwise of the stored ones.
 */
public final class Codec {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line; (line = in.readLine()) != null;) {
      ObjectNode answer = JSON.createObjectNode();
      try {
        copy(JSON.readTree(line), answer);
      } catch (RuntimeException | IOException | StackOverflowError e) {
        answer.removeAll();
        answer.put("refused", String.valueOf(e));
      }
      out.println(JSON.writeValueAsString(answer));
    }
    out.flush();
  }

  private static void copy(JsonNode request, ObjectNode answer) throws IOException {
    GenericData model = request.get("logical").booleanValue() ? logical() : new GenericData();
    Schema writer = parse(request.get("writer").textValue());
    Schema reader = parse(request.get("reader").textValue());
    byte[] body = HexFormat.of().parseHex(request.get("body").textValue());
    BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(body, null);
    Object value = new GenericDatumReader<>(writer, reader, model).read(null, decoder);
    if (!decoder.isEnd()) {
      throw new IOException("bytes are left");
    }
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(written, null);
    new GenericDatumWriter<>(reader, model).write(value, encoder);
    encoder.flush();
    answer.put("text", String.valueOf(value));
    answer.put("body", HexFormat.of().formatHex(written.toByteArray()));
  }

  private static Schema parse(String text) {
    Schema.Parser parser = new Schema.Parser(NameValidator.NO_VALIDATION);
    parser.setValidateDefaults(false);
    return parser.parse(text);
  }

  private static GenericData logical() {
    GenericData model = new GenericData();
    model.addLogicalTypeConversion(new Conversions.DecimalConversion());
    model.addLogicalTypeConversion(new Conversions.BigDecimalConversion());
    model.addLogicalTypeConversion(new Conversions.UUIDConversion());
    model.addLogicalTypeConversion(new Conversions.DurationConversion());
    model.addLogicalTypeConversion(new TimeConversions.DateConversion());
    model.addLogicalTypeConversion(new TimeConversions.TimeMillisConversion());
    model.addLogicalTypeConversion(new TimeConversions.TimeMicrosConversion());
    model.addLogicalTypeConversion(new TimeConversions.TimestampMillisConversion());
    model.addLogicalTypeConversion(new TimeConversions.TimestampMicrosConversion());
    model.addLogicalTypeConversion(new TimeConversions.TimestampNanosConversion());
    model.addLogicalTypeConversion(new TimeConversions.LocalTimestampMillisConversion());
    model.addLogicalTypeConversion(new TimeConversions.LocalTimestampMicrosConversion());
    model.addLogicalTypeConversion(new TimeConversions.LocalTimestampNanosConversion());
    return model;
  }
}
