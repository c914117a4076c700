package zhibu.client;

import io.grpc.ManagedChannel;
import io.grpc.okhttp.OkHttpChannelBuilder;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/** The one server that has the certificate with this fingerprint; its name and issuer say nothing. */
final class PinnedServer implements X509TrustManager {
  private static final String NAME = "zhibu"; // in every server's certificate
  private static final int MESSAGE_BYTES_MAX = 16 << 20;
  private static final int PING_SECONDS = 60; // a server takes no more than one in half a minute

  private final String fingerprint;
  private volatile boolean metOther;

  PinnedServer(String fingerprint) {
    this.fingerprint = fingerprint;
  }

  /** Somebody else was found there: gRPC tells that no differently from nobody. */
  boolean metOther() {
    return metOther;
  }

  ManagedChannel channel(String address, Executor executor) {
    try {
      SSLContext tls = SSLContext.getInstance("TLS");
      tls.init(null, new TrustManager[] {this}, null);
      return OkHttpChannelBuilder.forTarget(address)
          .sslSocketFactory(tls.getSocketFactory())
          .hostnameVerifier((name, session) -> true)
          .overrideAuthority(NAME)
          .executor(executor)
          .maxInboundMessageSize(MESSAGE_BYTES_MAX)
          .keepAliveTime(PING_SECONDS, TimeUnit.SECONDS)
          .disableRetry()
          .build();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this platform has no TLS", e);
    }
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String how) throws CertificateException {
    try {
      Zhibu.certificateIs(chain[0].getEncoded(), fingerprint);
    } catch (ZhibuException e) {
      metOther = true;
      throw new CertificateException(e);
    }
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String how) throws CertificateException {
    throw new CertificateException("this is no server");
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return new X509Certificate[0];
  }
}
